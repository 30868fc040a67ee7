"""One version of the user's files, whatever becomes of them. Tried in processes of their own, as workers are."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestrator.code.files import code_files
from tests.code.conftest import Write

WORKER = """
import json, os, sys
from pathlib import Path
from orchestrator.code.pinned import pin
from orchestrator.spec.load_trainable import load

told = json.loads(Path("../told.json").read_text())
pin({path: source.encode() for path, source in told["code"].items()})
train = load(told["trainable"], Path.cwd())
def late():
    for name, text in told["late"].items():
        Path(name).write_text(text)
print(json.dumps(train(late)))
"""


def trained(
    base: Path,
    edits: dict[str, str | None],
    *,
    trainable: str = "train.py:train",
    late: dict[str, str] | None = None,
) -> Any:
    """What ``train(late)`` returns in a worker that starts after the edits; None removes a file.

    Args:
        base: The project, of which a session has begun.
        edits: Texts by path.
        late: Further edits, which happen when ``late()`` is called.
    """
    code = {str(file.path): file.source.decode() for file in code_files(trainable, base)}
    for name, text in edits.items():
        if text is None:
            (base / name).unlink()
        else:
            (base / name).write_text(textwrap.dedent(text))
    told = {"code": code, "trainable": trainable, "late": late or {}}
    (base.parent / "told.json").write_text(json.dumps(told))
    run = subprocess.run([sys.executable, "-P", "-c", WORKER], cwd=base, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


TRAIN = """
    import model
    from pkg import sub
    VERSION = 1
    def train(late):
        return [VERSION, model.VERSION, sub.VERSION]
"""
PROJECT = {"train.py": TRAIN, "model.py": "VERSION = 1", "pkg/__init__.py": "", "pkg/sub.py": "VERSION = 1"}


@pytest.mark.parametrize("trainable", ["train.py:train", "train:train"])
@pytest.mark.parametrize(
    "edits",
    [
        {},
        {"train.py": TRAIN.replace("= 1", "= 2")},
        {"model.py": "VERSION = 2"},
        {"model.py": "VERSION = ("},
        {"model.py": None},
        {"pkg/sub.py": "VERSION = 2"},
        {"pkg/__init__.py": "raise RuntimeError('half written')"},
        {"train.py": None, "model.py": None, "pkg/sub.py": None, "pkg/__init__.py": None},
        {"train.py": "import nothing_like_it"},
    ],
)
def test_edited_and_removed_files_are_as_they_were(write: Write, trainable: str, edits: dict[str, str | None]) -> None:
    assert trained(write(PROJECT), edits, trainable=trainable) == [1, 1, 1]


def test_of_files_that_say_the_same_the_newer_are_imported(write: Write) -> None:
    """So that the lines in tracebacks are those of the file."""
    text = "import sys\ndef train(late):\n    return sys._getframe().f_lineno\n"
    assert trained(write({"train.py": text}), {"train.py": f"# a comment\n{text}"}) == 4


def test_a_file_is_compared_when_it_is_imported(write: Write) -> None:
    """A process that started before the edit, and imports in a function after it."""
    text = "def train(late):\n    late()\n    import model\n    from pkg import sub\n    return [model.V, sub.V]"
    base = write({"train.py": text, "model.py": "V = 1", "pkg/__init__.py": "", "pkg/sub.py": "V = 1"})
    assert trained(base, {}, late={"model.py": "V = 2", "pkg/sub.py": "V = 2"}) == [1, 1]


def test_relative_imports_and_packages(write: Write) -> None:
    base = write(
        {
            "app/__init__.py": "",
            "app/train.py": "from .model import V\nfrom . import data\ndef train(late): return [V, data.V]",
            "app/model.py": "from .data import V",
            "app/data.py": "V = 1",
        }
    )
    assert trained(base, {"app/data.py": "V = 2"}, trainable="app.train:train") == [1, 1]


def test_a_new_package_does_not_hide_a_module(write: Write) -> None:
    base = write({"train.py": "import model\ndef train(late): return model.V", "model.py": "V = 1"})
    (base / "model").mkdir()
    assert trained(base, {"model/__init__.py": "V = 2"}) == 1


def test_a_project_with_folders_that_are_called_as_ours(write: Write) -> None:
    base = write(
        {
            "train.py": """
                import cluster.fit
                from trainables import contract
                def train(late):
                    from orchestrator.core.plan import make_plan      # ours, loaded after theirs
                    return [cluster.fit.V, contract.V]
            """,
            "cluster/fit.py": "V = 1",
            "cluster/__init__.py": "",
            "trainables/__init__.py": "",
            "trainables/contract.py": "V = 1",
        }
    )
    assert trained(base, {"cluster/fit.py": "V = 2", "trainables/contract.py": "V = 2"}) == [1, 1]


def test_data_beside_a_file_and_the_source_of_its_functions(write: Write) -> None:
    text = """
        import inspect, traceback
        from pathlib import Path
        V = 1
        def train(late):
            try:
                raise ValueError(V)
            except ValueError as error:
                line = traceback.extract_tb(error.__traceback__)[-1].line
            return [Path(__file__).with_name("data.csv").read_text(), line, inspect.getsource(train).split()[:2]]
    """
    base = write({"train.py": text, "data.csv": "1,2"})
    longer = f"V = 9\n\n\n\n{textwrap.dedent(text)}\nV = 2"
    assert trained(base, {"train.py": longer}) == ["1,2", "raise ValueError(V)", ["def", "train(late):"]]


def test_no_bytecode_is_written_of_what_is_not_on_the_disk(write: Write) -> None:
    base = write({"train.py": "import model\ndef train(late): return model.V", "model.py": "V = 1"})
    assert trained(base, {"model.py": "V = 2"}) == 1
    assert not list(base.rglob("__pycache__/model.*.pyc"))
    assert trained(base, {}) == 2, "the next session trains what is there then"


def test_a_module_named_as_one_of_pythons(write: Write) -> None:
    base = write({"random.py": "import random\nV = 1\ndef train(late): return [V, random.random() < 1]"})
    edits: dict[str, str | None] = {"random.py": "V = 2"}
    assert trained(base, edits, trainable="random.py:train") == [1, True]


def test_a_file_that_is_not_part_of_the_code_is_not_pinned(write: Write) -> None:
    text = "import importlib\ndef train(late): return importlib.import_module(chr(109)).V"
    base = write({"train.py": text, "m.py": "V = 1"})
    assert trained(base, {"m.py": "V = 2"}) == 2
