"""`sweep watch` where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


def test_without_a_terminal_it_is_shown_once(sweep: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results")
    ran = sweep("watch")
    assert ran.code == 0
    assert ran.out == sweep("show").out
    assert ran.err == "not a terminal: the sweep is shown once\n"


def test_what_is_not_there(sweep: Sweep) -> None:
    ran = sweep("watch", "churn")
    assert (ran.code, ran.out) == (2, "")
    assert "there are no sweeps in results" in ran.err
