from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from trainables.command.executable import files_of, module_of, path_variable, problem, script_of


@pytest.mark.parametrize(
    ("command", "problem_of", "remedy"),
    [
        ("python train.py --lr {lr}", "", ""),
        ("./run.sh", "", ""),
        ("{program} x", "", ""),
        ("train.py", "there is no program 'train.py' on PATH", "python train.py"),
        ("run.sh", "there is no program 'run.sh' on PATH", "./run.sh"),
        ("no-such-program", "there is no program 'no-such-program' on PATH", "a program on PATH"),
        ("./train.py", "train.py is not executable", "chmod +x ./train.py"),
        ("./none", "none", "the path of a program"),
        ("python -u trian.py", "there is no file", "the script's path"),
        ("python {script}.py", "", ""),
        ("python -m trainer train.py", "", ""),
    ],
)
def test_what_cannot_be_started_is_said_before(command: str, problem_of: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    (tmp_path / "run.sh").touch(mode=0o755)
    found = problem(shlex.split(command), tmp_path)
    assert problem_of in found[0]
    assert remedy in found[1]
    assert bool(found[0]) == bool(problem_of)


@pytest.mark.parametrize(
    ("prefix", "activated", "first"),
    [("/venv", "", True), ("/venv", "VIRTUAL_ENV", False), ("/venv", "CONDA_PREFIX", False), ("/usr", "", False)],
)
def test_python_is_that_of_an_activated_environment_or_sweeps_own(
    prefix: str, activated: str, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    if activated:
        monkeypatch.setenv(activated, "/elsewhere")
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(sys, "executable", f"{prefix}/bin/python")
    own = f"{prefix}/bin"
    assert path_variable().split(os.pathsep) == ([own, "/usr/bin"] if first else ["/usr/bin", own])


def test_which_files_are_its_code(tmp_path: Path) -> None:
    for name in ("train.py", "conf.yaml", "data.csv", "run"):
        (tmp_path / name).touch()
    assert files_of(["python", "train.py", "conf.yaml", "data.csv", "gone.py", "{x}.py"], tmp_path) == [
        "train.py",
        "conf.yaml",
    ]
    assert files_of(["./run"], tmp_path) == ["./run"]
    assert script_of(["/usr/bin/python3.11", "-u", "train.py"]) == "train.py"
    assert script_of(["sh", "train.py"]) == ""
    assert module_of(["accelerate", "launch", "-m", "pkg.train"]) == "pkg.train"
    assert module_of(["git", "commit", "-m", "two words"]) == ""
