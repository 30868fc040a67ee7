"""The frame of the command line: help, errors as sentences, exit codes, and what must not be imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.cli.app import TRACEBACK
from orchestrator.errors import InterruptedSweepError, RecordsError, UserError
from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]
CHURN = Path(__file__).parents[2] / "examples" / "02_churn.yaml"
COMMANDS = ("init", "check", "plan", "try", "launch", "resume", "stop", "add", "ls", "show")
COMMANDS += ("compare", "next", "confirm", "watch", "report", "export", "logs", "pull", "best", "clean", "doctor")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command(sweep: Sweep, arguments: tuple[str, ...]) -> None:
    ran = sweep(*arguments)
    assert ran.code == 0
    listed = ran.out.partition("Commands:\n")[2].splitlines()[: len(COMMANDS)]
    assert tuple(line.split()[0] for line in listed) == COMMANDS
    assert not any(line.endswith("...") for line in listed), "a summary is cut at 80 columns"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(sweep: Sweep, command: str) -> None:
    ran = sweep(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: sweep {command} ")


def test_version(sweep: Sweep) -> None:
    assert sweep("--version").out.startswith("sweep 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("launc",), "Did you mean 'launch'"),
        (("launch",), "Missing argument"),
        (("launch", "a.yaml", "--trials", "0"), "--trials"),
        (("launch", "a.yaml", "--fail-fast", "--max-failures", "3"), "cannot be combined"),
        (("check",), "which spec?"),
        (("check", "nowhere.yaml"), "1 mistake in nowhere.yaml"),
    ],
)
def test_a_wrong_use_ends_with_2(sweep: Sweep, arguments: tuple[str, ...], said: str) -> None:
    ran = sweep(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("not so"), 2, "error: not so\n"),
        (RecordsError("the disk is full"), 1, "error: the disk is full\n"),
        (InterruptedSweepError("interrupted by SIGINT"), 130, "error: interrupted by SIGINT\n"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("by\nzero"), 1, "unforeseen ZeroDivisionError: by zero\n"),
    ],
)
def test_errors_are_sentences(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("orchestrator.records.find.find_all", fail)
    monkeypatch.delenv(TRACEBACK, raising=False)
    ran = sweep("ls")
    assert ran.code == code
    assert ran.err.startswith(said)
    assert "Traceback" not in ran.err


def test_an_unforeseen_error_shows_its_traceback_if_asked(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.records.find.find_all", lambda _: 1 / 0)
    monkeypatch.setenv(TRACEBACK, "1")
    ran = sweep("ls")
    assert ran.code == 1
    assert "Traceback" in ran.err


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    record(tmp_path)
    program = (
        f"import sys; from orchestrator.cli.app import main; sys.exit(main(['ls', '--results', {str(tmp_path)!r}]))"
    )
    command = ["bash", "-c", f'sleep 0.2; {sys.executable} -c "$0" | true', program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], "ray torch pandas numpy pyarrow pydantic.main rich.console textual optuna scipy"),
        (["check", str(CHURN)], "ray torch pandas numpy pyarrow rich.console optuna scipy"),
        (["plan", str(CHURN)], "ray torch pandas rich.console optuna scipy"),
        (["ls", "--results", "RESULTS"], "ray torch pandas pyarrow.compute rich.console optuna scipy"),
        (["show", "--results", "RESULTS"], "ray torch pandas pyarrow.compute rich.console optuna scipy"),
        (["best", "--results", "RESULTS"], "ray torch pandas pyarrow.compute rich.console optuna scipy"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_heavy_modules_stay_out(tmp_path: Path, arguments: list[str], forbidden: str) -> None:
    record(tmp_path)
    given = [str(tmp_path) if each == "RESULTS" else each for each in arguments]
    program = (
        "import sys; from orchestrator.cli.app import main; code = main(sys.argv[1:]);"
        f"print(code, *(set({forbidden.split()!r}) & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *given], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stderr.splitlines()[-1] == "0", ran.stderr
