"""Trainables that were given from Python: their names in the records, and how another process has them again."""

from __future__ import annotations

import functools
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestrator.code.files import code_files
from orchestrator.errors import TrainableError
from orchestrator.spec.given import how_given, load_given, reference_of

SCRIPT = '''"""Tunes a line."""
from __future__ import annotations
from typing import TYPE_CHECKING
import beside
if TYPE_CHECKING:
    from nowhere import Config
raise SystemExit("all of the script was run")

def train(config: Config, trial):
    trial.report(step=1, loss=beside.FACTOR * config["x"])

def evaluate(config, trial): ...

train.evaluate = evaluate
'''


def at_the_top(config: Any, trial: Any) -> None: ...


def made() -> Any:
    def train(config: Any, trial: Any) -> None: ...

    return train


def test_only_what_has_a_name_can_be_had_by_it() -> None:
    assert how_given(at_the_top) == "module"
    assert reference_of(at_the_top, Path()) == f"{__name__}:at_the_top"
    assert load_given(reference_of(at_the_top, Path()), "module", Path()) is at_the_top
    for train in (made(), lambda config, trial: None, functools.partial(at_the_top, trial=1), Path.exists):
        assert how_given(train) == "memory"
    with pytest.raises(TrainableError, match="made in a notebook"):
        load_given(reference_of(made(), Path()), "memory", Path())


@pytest.mark.parametrize("at", ["script.py", "scripts/script.py"])
def test_of_a_script_only_what_the_trainable_uses_is_run(at: str, tmp_path: Path, monkeypatch: Any) -> None:
    script = tmp_path / at
    script.parent.mkdir(exist_ok=True)
    script.write_text(SCRIPT)
    (script.parent / "beside.py").write_text("FACTOR = 2\n")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    train: Any = load_given(f"{at}:train", "script", tmp_path)
    assert train.evaluate is sys.modules["__main__"].evaluate
    assert train.__code__.co_firstlineno == SCRIPT.split("\n").index("def train(config: Config, trial):") + 1
    assert (how_given(train), reference_of(train, tmp_path)) == ("script", f"{at}:train")
    files = code_files(f"{at}:train", tmp_path, train)
    assert [file.name for file in files] == [at, at.replace("script.py", "beside.py")]
    assert b"SystemExit" not in files[0].source
    for name, text in (("other", "script.py has no 'other'"), ("<lambda>", "script.py has no '<lambda>'")):
        with pytest.raises(TrainableError, match=text):
            load_given(f"{at}:{name}", "script", tmp_path)
    script.write_text(SCRIPT.replace("beside", "beside_it"))
    with pytest.raises(TrainableError, match=r"script.py cannot be imported: .*No module named 'beside_it' \(line 4\)"):
        load_given(f"{at}:train", "script", tmp_path)
    script.unlink()
    with pytest.raises(TrainableError, match=r"cannot read .*script.py: No such file"):
        load_given(f"{at}:train", "script", tmp_path)


@pytest.mark.parametrize("call", ["orchestrator.run(SPEC, train)", "orchestrator.confirm('results/x', train)"])
def test_a_module_that_starts_a_sweep_whenever_it_is_imported_is_refused(call: str, tmp_path: Path) -> None:
    text = f"""
        import orchestrator

        SPEC = {{"space": {{"x": {{"uniform": [0, 1]}}}}, "objective": {{"metric": "loss"}}}}

        def train(config, trial): ...

        {call}
    """
    (tmp_path / "both.py").write_text(textwrap.dedent(text))
    (tmp_path / "spec.yaml").write_text(
        "trainable: both.py:train\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: l}\n"
    )
    words = [sys.executable, "-m", "orchestrator", "check", "spec.yaml"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert "both.py starts a sweep whenever it is imported: do that under `if __name__" in done.stderr
