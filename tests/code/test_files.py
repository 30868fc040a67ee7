"""Which files a trainable consists of."""

from __future__ import annotations

import functools
import importlib
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.code.files import CodeFile, code_files
from orchestrator.own_packages import ROOT
from orchestrator.spec.load_trainable import load
from tests.code.conftest import Write


def names(reference: str, base: Path) -> list[str]:
    return [file.name for file in code_files(reference, base)]


@pytest.mark.parametrize(
    ("train", "others", "found"),
    [
        ("import model", {"model.py": "", "unused.py": ""}, ["model.py"]),
        ("import model", {"model.py": "from data import load", "data.py": "import model"}, ["data.py", "model.py"]),
        ("def train():\n    import model", {"model.py": ""}, ["model.py"]),
        ("try:\n    import model\nexcept ImportError:\n    import other", {"model.py": ""}, ["model.py"]),
        ("if x:\n    import a\nelse:\n    import b", {"a.py": "", "b.py": ""}, ["a.py", "b.py"]),
        ("import pkg", {"pkg/__init__.py": "", "pkg/sub.py": ""}, ["pkg/__init__.py"]),
        ("import pkg.sub", {"pkg/__init__.py": "", "pkg/sub.py": ""}, ["pkg/__init__.py", "pkg/sub.py"]),
        ("from pkg import sub, name", {"pkg/__init__.py": "", "pkg/sub.py": ""}, ["pkg/__init__.py", "pkg/sub.py"]),
        ("from pkg.sub import name", {"pkg/__init__.py": "", "pkg/sub.py": ""}, ["pkg/__init__.py", "pkg/sub.py"]),
        ("import pkg", {"pkg/__init__.py": "from . import sub", "pkg/sub.py": ""}, ["pkg/__init__.py", "pkg/sub.py"]),
        ("import pkg", {"pkg/__init__.py": "from .sub import x", "pkg/sub.py": ""}, ["pkg/__init__.py", "pkg/sub.py"]),
        (
            "import pkg.a.b",
            {"pkg/__init__.py": "", "pkg/a/__init__.py": "", "pkg/a/b.py": "from .. import c\nfrom ..d import e",
             "pkg/c.py": "", "pkg/d/__init__.py": "", "pkg/d/e.py": ""},
            ["pkg/__init__.py", "pkg/a/__init__.py", "pkg/a/b.py", "pkg/c.py", "pkg/d/__init__.py", "pkg/d/e.py"],
        ),
        ("from space.inner import thing", {"space/inner/thing.py": ""}, ["space/inner/thing.py"]),
        ("import importlib\nimportlib.import_module('pkg.sub')", {"pkg/__init__.py": "", "pkg/sub.py": ""},
         ["pkg/__init__.py", "pkg/sub.py"]),
        ("import importlib\nimportlib.import_module(f'models.{kind}')",
         {"models/__init__.py": "", "models/cnn.py": "", "models/mlp/__init__.py": "", "data.py": ""},
         ["models/__init__.py", "models/cnn.py", "models/mlp/__init__.py"]),
        ("import numpy, json, torch.nn, sys, nothing_like_it", {}, []),
        ("import orchestrator, trainables.contract, cluster.fit", {}, []),
        ("from trainables import contract\nimport cluster",
         {"trainables/__init__.py": "", "trainables/contract.py": "", "cluster.py": ""},
         ["cluster.py", "trainables/__init__.py", "trainables/contract.py"]),
        ("import numpy", {"numpy.py": ""}, ["numpy.py"]),
        ("import both", {"both.py": "", "both/__init__.py": ""}, ["both/__init__.py"]),
        ("import model", {"model.py": "def ("}, ["model.py"]),
        ("import venv.lib", {"venv/lib/site-packages/x.py": ""}, []),
    ],
)  # fmt: skip
def test_local_modules_are_followed(write: Write, train: str, others: dict[str, str], found: list[str]) -> None:
    base = write({"train.py": train, **others})
    assert names("train.py:train", base) == sorted([*found, "train.py"])
    assert names("train:train", base) == sorted([*found, "train.py"])


def test_a_module_in_a_package(write: Write) -> None:
    base = write(
        {"a/__init__.py": "", "a/b/__init__.py": "", "a/b/train.py": "from .model import M", "a/b/model.py": ""}
    )
    assert names("a.b.train:fit", base) == ["a/__init__.py", "a/b/__init__.py", "a/b/model.py", "a/b/train.py"]


def test_a_trainable_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert names("nowhere:fit", tmp_path) == []
    assert names("nowhere.py:fit", tmp_path) == []
    assert names("no_builtin", tmp_path) == []


def test_a_built_in_consists_of_our_files(tmp_path: Path) -> None:
    found = code_files("tabular", tmp_path)
    files = ("builtin/tabular.py", "builtin/tabular_data.py", "supervised/training.py", "data/cache.py")
    assert {f"trainables/{file}" for file in files} <= {file.name for file in found}
    assert all(file.path is None and not file.kept and (ROOT / file.name).read_bytes() == file.source for file in found)
    shared = {f"trainables/{name}.py" for name in ("contract", "declaration", "report", "trial")}
    assert shared.isdisjoint(file.name for file in found)


def test_files_beside_the_project_on_the_path(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write({"train.py": "import beside", "../lib/beside.py": "", "../lib/site-packages/installed.py": ""})
    assert names("train.py:train", base) == ["train.py"]
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.syspath_prepend(tmp_path / "lib" / "site-packages")
    assert names("train.py:train", base) == ["../lib/beside.py", "train.py"]
    write({"train.py": "import installed"})
    assert names("train.py:train", base) == ["train.py"]


def test_a_module_that_only_an_editable_installation_finds(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write({"train.py": "import my_editable", "../src/my_editable/__init__.py": ""})
    spec = importlib.util.spec_from_file_location("my_editable", tmp_path / "src" / "my_editable" / "__init__.py")
    assert spec is not None
    monkeypatch.setitem(sys.modules, "my_editable", importlib.util.module_from_spec(spec))
    assert names("train.py:train", base) == ["../src/my_editable/__init__.py", "train.py"]


def test_links_are_followed_and_those_that_lead_out_are_marked(write: Write, tmp_path: Path) -> None:
    base = write({"train.py": "import inside, out, shared.m", "real.py": "", "../o.py": "", "../s/m.py": ""})
    (base / "inside.py").symlink_to("real.py")
    (base / "out.py").symlink_to("../o.py")
    (base / "shared").symlink_to("../s")
    found = code_files("train.py:train", base)
    assert {file.name: file.kept for file in found} == {
        "out.py": False, "real.py": True, "shared/m.py": False, "train.py": True
    }  # fmt: skip
    alias = tmp_path / "alias"
    alias.symlink_to("project")
    assert code_files("train.py:train", alias) == found


def test_fingerprints_follow_the_meaning(write: Write) -> None:
    def prints(text: str) -> list[str]:
        return [file.fingerprint for file in code_files("train.py:t", write({"train.py": text}))]

    assert prints("x = 1") == prints("x = 1  # one") != prints("x = 2")


def test_an_ordinary_project_takes_milliseconds(write: Write) -> None:
    """Twenty modules of 40 lines; a network of a few hundred lines is read in 5 ms. The limit is for busy machines."""
    body = "\n".join(f"def f{n}(a, b=1):\n    return [a * b for _ in range({n})]" for n in range(20))
    base = write({f"m{n}.py": f"import m{n + 1}, numpy, torch\n{body}" for n in range(20)})
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        assert len(code_files("m0:f1", base)) == 20
        best = min(best, time.process_time() - began)
    assert best < 0.1


class TestAFunctionFromPython:
    def files(self, function: Any, base: Path) -> list[CodeFile]:
        return list(code_files("given:train", base, function))

    def test_of_a_module(self, write: Write) -> None:
        base = write({"of_module.py": "import of_helper\ndef train(config, trial): ...", "of_helper.py": ""})
        train = load("of_module:train", base)
        assert [file.name for file in self.files(train, base)] == ["of_helper.py", "of_module.py"]
        assert self.files(functools.partial(train, 1), base) == self.files(train, base)

    def test_of_a_package(self, write: Write) -> None:
        base = write({"of_pkg/__init__.py": "", "of_pkg/train.py": "class Train:\n    def step(self): ..."})
        train = load("of_pkg.train:Train", base)
        assert [file.name for file in self.files(train, base)] == ["of_pkg/__init__.py", "of_pkg/train.py"]
        assert self.files(train(), base) == self.files(train, base)

    def test_of_a_notebook(self, write: Write) -> None:
        """Cells have no file: the function, what it uses of other cells, and the modules that it uses."""
        base = write({"nb_model.py": "import nb_deep", "nb_deep.py": "", "nb_inside.py": "", "nb_unused.py": ""})
        sys.path.insert(0, str(base))
        cell = """
            import nb_model, nb_unused, numpy
            FACTOR = numpy.float64(2)
            def helper(x): return nb_model.__name__
            class Net:
                lr = staticmethod(lambda: 5)
                def forward(self): return other()
            def other(): return 1
            def unused(): return 2
            def train(config, trial):
                import nb_inside
                return [helper(each) for each in (Net, FACTOR)]
        """
        notebook = Notebook(cell)
        first = self.files(notebook["train"], base)
        assert [file.name for file in first] == ["given:train", "nb_deep.py", "nb_inside.py", "nb_model.py"]
        assert first[0].path is None
        assert b"def helper" in first[0].source
        assert b"return other()" in first[0].source
        assert b"def other" in first[0].source
        assert b"unused" not in first[0].source
        again = self.files(Notebook(cell.replace("return 2", "return 3  # not used"))["train"], base)
        assert [file.fingerprint for file in again] == [file.fingerprint for file in first]
        changed = self.files(Notebook(cell.replace("return 1", "return 4"))["train"], base)
        assert changed[0].fingerprint != first[0].fingerprint
        sys.path.remove(str(base))

    def test_typed_at_a_prompt(self, tmp_path: Path) -> None:
        space: dict[str, Any] = {"__name__": "a_prompt"}
        exec("def train(config, trial): ...", space)
        assert self.files(space["train"], tmp_path) == []


class Notebook(dict[str, Any]):
    """A cell that was run in a notebook: its source is known, and there is no file."""

    def __init__(self, cell: str) -> None:
        import linecache
        import textwrap
        import types

        text = textwrap.dedent(cell)
        name = f"<cell {hash(text)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        module = types.ModuleType("notebook_for_tests")
        sys.modules[module.__name__] = module
        exec(compile(text, name, "exec"), module.__dict__)
        super().__init__(module.__dict__)
