"""The frame of the command line: help, errors as sentences, exit codes, and what must not be imported."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest
from typer.main import get_group

from orchestrator.cli import commands
from orchestrator.cli.app import COMMANDS, app
from orchestrator.cli.error_text import TRACEBACK, internal_error_text
from orchestrator.errors import InterruptedSweepError, RecordsError, UserError
from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]
CHURN = Path(__file__).parents[2] / "examples" / "02_churn.yaml"
LINEAR = Path(__file__).parents[2] / "examples" / "01_learning_rate.yaml"
SECTIONS = {section: [name for name, *_ in commands] for section, commands in COMMANDS.items()}
NAMES = [name for names in SECTIONS.values() for name in names]
EXAMPLES = {name: example for commands in COMMANDS.values() for name, _, example in commands}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_in_its_section(sweep: Sweep, arguments: tuple[str, ...]) -> None:
    ran = sweep(*arguments)
    assert ran.code == 0
    blocks = [block.splitlines() for block in ran.out.split("\n\n")]
    listed = {block[0].rstrip(":"): block[1:] for block in blocks if block[0].endswith(":") and block[0] != "Options:"}
    assert {section: [line.split()[0] for line in lines] for section, lines in listed.items()} == SECTIONS
    lines = [line for each in listed.values() for line in each]
    assert not any(line.endswith("...") or len(line) > 80 for line in lines), "a summary does not fit in 80 columns"
    assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in lines}) == 1, "summaries are one column"


@pytest.mark.parametrize("command", NAMES)
def test_every_command_has_help_with_an_example(sweep: Sweep, command: str) -> None:
    ran = sweep(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: sweep {command} ")
    assert not {"{", "}"} & set(ran.out.splitlines()[0])
    assert ran.out.endswith(f"Example:\n  {EXAMPLES[command]}\n")
    assert all(len(line) <= 80 for line in ran.out.splitlines())


@pytest.mark.parametrize("command", NAMES)
def test_every_example_is_understood(command: str) -> None:
    program, name, *words = shlex.split(EXAMPLES[command].partition(" > ")[0])
    assert (program, name) == ("sweep", command)
    get_group(app).commands[command].make_context(command, words)


@pytest.mark.parametrize("module", sorted(Path(commands.__file__).parent.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_every_file_is_a_command(module: Path) -> None:
    assert module.stem.rstrip("_") in NAMES


def test_version(sweep: Sweep) -> None:
    assert sweep("--version").out.startswith("sweep 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("launc",), "did you mean: sweep launch"),
        (("run", "a.yaml"), "error: no command 'run'; did you mean: sweep launch\n"),
        (("status",), "error: no command 'status'; did you mean: sweep show\n"),
        (("rm",), "error: no command 'rm'; did you mean: sweep clean\n"),
        (("List",), "error: no command 'List'; did you mean: sweep ls\n"),
        (("statsu",), "error: no command 'statsu'; did you mean: sweep show\n"),
        (("xyz",), "error: no command 'xyz'; see: sweep --help\n"),
        (("launch", "a.yaml", "--trails", "3"), "--trials"),
        (("launch",), "Missing argument"),
        (("launch", "a.yaml", "--trials", "0"), "--trials"),
        (("launch", "a.yaml", "--fail-fast", "--max-failures", "3"), "cannot be combined"),
        (("check",), "a spec is missing"),
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
        (ZeroDivisionError("by\nzero."), 1, "internal error: ZeroDivisionError: by zero. This is a bug. Re-run with "),
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


def test_an_internal_error_says_where_to_report_it(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    entries = [f"{label}, {url}" for label, url in project["urls"].items()]
    installed = Message()
    for entry in entries:
        installed["Project-URL"] = entry
    monkeypatch.setattr(importlib.metadata, "metadata", lambda _: installed)
    text = internal_error_text(ZeroDivisionError("by zero"))
    assert text.endswith(f"Re-run with SWEEP_TRACEBACK=1 and report it at {project['urls']['Issues']}")


def test_an_internal_error_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Message:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", missing)
    assert internal_error_text(ZeroDivisionError("by zero")).endswith("report it at the project's issue tracker")


def test_an_internal_error_shows_its_traceback_if_asked(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.records.find.find_all", lambda _: 1 / 0)
    monkeypatch.setenv(TRACEBACK, "1")
    ran = sweep("ls")
    assert ran.code == 1
    assert "Traceback" in ran.err


def test_python_m_orchestrator_is_the_same_program() -> None:
    command = [sys.executable, "-m", "orchestrator", "run"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "error: no command 'run'; did you mean: sweep launch\n"


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
        (["check", str(LINEAR)], "ray torch pandas numpy pyarrow rich.console optuna scipy"),
        (["check", str(CHURN)], "ray torch rich.console optuna scipy sklearn"),  # pandas reads the table
        (["plan", str(LINEAR)], "ray torch pandas textual optuna scipy"),
        (["plan", str(CHURN)], "ray torch textual optuna scipy sklearn"),
        (["ls", "--results", "RESULTS"], "ray torch pandas pyarrow.compute textual optuna scipy"),
        (["show", "--results", "RESULTS"], "ray torch pandas pyarrow.compute textual optuna scipy"),
        (["best", "--results", "RESULTS"], "ray torch pandas pyarrow.compute rich.console optuna scipy"),
    ],
    ids=lambda value: " ".join(Path(word).stem for word in value) if isinstance(value, list) else "",
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


def test_an_internal_error_names_a_ray_that_was_not_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.cli.error_text.installed", lambda: "2.99.1")
    text = internal_error_text(ZeroDivisionError("by zero"))
    assert "This is a bug. Ray 2.99.1 may be the cause: sweep was tested with Ray 2.60.x only. Re-run" in text
