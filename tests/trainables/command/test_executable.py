from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from trainables.command.executable import files_of, module_of, problem, script_of


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
