"""How commands take the name of a sweep: a name, a prefix, or the path of its directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A sweep that is not in the results directory, beside one that is."""
    record(tmp_path / "results", name="beside")
    return record(tmp_path / "archive", name="old").root


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("best",),
        ("watch",),
        ("report",),
        ("logs", 0),
        ("export", "--to", "csv"),
        ("clean", "--dry-run"),
        ("compare", "beside"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("path", ["archive/old", "archive/old/", "./archive/old", "absolute"])
def test_a_path(sweep: Sweep, elsewhere: Path, command: tuple[str, ...], path: str) -> None:
    (elsewhere / "logs").mkdir(exist_ok=True)
    (elsewhere / "logs" / "0.log").write_text("old\n")
    name, *options = command
    given = elsewhere if path == "absolute" else path
    ran = sweep(name, *options, given) if name == "compare" else sweep(name, given, *options)
    assert ran.code == 0, ran.err
    assert "beside" not in ran.out + ran.err or name == "compare"


def test_the_directory_one_is_in(sweep: Sweep, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(elsewhere)
    assert sweep("show", ".").out.startswith("old  finished")


def test_a_path_that_is_no_sweep(sweep: Sweep, elsewhere: Path) -> None:
    ran = sweep("show", "archive/older")
    assert (ran.code, ran.err) == (2, "error: no sweep in archive/older: there is no sweep.json\n")


def test_a_name_is_looked_for_in_the_results_only(sweep: Sweep, elsewhere: Path) -> None:
    assert sweep("show", "old").code == 2
    assert sweep("show", "b").out.startswith("beside  finished")
