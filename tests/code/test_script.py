"""The part of a script that belongs to its training function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.code.script import used_statements

SCRIPT = '''"""Tunes a parabola."""
from __future__ import annotations
import functools
import model, orchestrator
from data import load as read

WIDTH, UNUSED = 3, 4
SIZES = {}
SIZES["a"] = WIDTH
SIZES.update(b=1)
spec = {"budget": {"trials": 6}}

def decorate(train):
    return train

class Net(model.Base):
    depth = 2

def unused(): ...

@decorate
def train(config, trial):
    spec = config["spec"]
    return [Net(n) for n in read(SIZES)]

train.evaluate = functools.partial(print)

if __name__ == "__main__":
    for trials in (3, 6):
        orchestrator.run(spec, train, resume=True)
'''
USED = """import functools
import model, orchestrator
from data import load as read
WIDTH, UNUSED = 3, 4
SIZES = {}
SIZES["a"] = WIDTH
SIZES.update(b=1)
def decorate(train):
    return train
class Net(model.Base):
    depth = 2
@decorate
def train(config, trial):
    spec = config["spec"]
    return [Net(n) for n in read(SIZES)]
train.evaluate = functools.partial(print)
"""


def test_only_what_the_function_uses() -> None:
    assert used_statements(SCRIPT.encode(), "train").decode() == USED.rstrip("\n")


@pytest.mark.parametrize("name", ["make.<locals>.train", "<lambda>", "", "missing"])
def test_of_what_is_not_at_the_top_everything(name: str) -> None:
    """A closure depends on the call that made it."""
    assert used_statements(SCRIPT.encode(), name) == SCRIPT.encode()


def test_a_script_that_cannot_be_parsed() -> None:
    assert used_statements(b"def (", "train") == b"def ("
    assert used_statements(b"x = '\xff'", "x") == b"x = '\xff'"


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import fast as m\nexcept ImportError:\n    import slow as m\ndef f(): return m",
        "if x:\n    def f(): ...\nelse:\n    f = None",
        "f: int = 1",
        "f = 1; g = 2",
        "f = 1\r\n",
        "# coding: latin-1\nf = 'ä'",
    ],
)
def test_other_definitions(text: str) -> None:
    source = text.encode("latin-1")
    found = used_statements(source, "f").decode()
    assert found.endswith(text.splitlines()[-1])


GIVEN = """
import functools, json, sys
from pathlib import Path
from orchestrator.code.files import code_files
import nb_helper, unrelated
RATE = {rate}
TRIALS = {trials}
def train(config, trial): return nb_helper.V * RATE
def make(by): return lambda config, trial: by
for function in (train, functools.partial(train, 1), make({by})):
    found = code_files("given:train", Path.cwd(), function)
    print(json.dumps([[file.name, file.path and str(file.path), file.kept, file.fingerprint] for file in found]))
"""


def test_a_function_of_a_script(tmp_path: Path) -> None:
    def given(rate: float = 0.1, trials: int = 3, by: int = 1) -> list[str]:
        (tmp_path / "script.py").write_text(GIVEN.format(rate=rate, trials=trials, by=by))
        run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return run.stdout.splitlines()

    for name in ("nb_helper", "unrelated"):
        (tmp_path / f"{name}.py").write_text("V = 1\n")
    function, partial, closure = given()
    assert '["script.py", null, true, "code sha256' in function
    assert '["nb_helper.py", "' in function
    assert "unrelated.py" in function, "it is imported by the same statement"
    assert given(trials=6)[0] == function
    assert given(rate=0.2)[0] != function
    assert given(by=2)[0] == function
    assert given(by=2)[2] != closure
    assert partial == closure, "all of the script"
