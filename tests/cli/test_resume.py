"""`sweep resume` before anything runs; on real Ray it is in tests/driver/ and tests/api/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from orchestrator.cli import options
from orchestrator.control.lease import Lease, LeaseHeldError
from tests.cli.conftest import TRAIN, Ran


def test_it_says_what_it_waits_for(sweep: Callable[..., Ran], results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(path: Path, *, waiting: Callable[[str], object]) -> NoReturn:
        waiting(f"waiting for {path.name}")
        raise LeaseHeldError("it lives")

    monkeypatch.setattr(Lease, "acquire", acquire)
    (results / "train.py").write_text(TRAIN)
    ran = sweep("resume", "made-up-2", "--cpus", "2")
    assert ran.err.splitlines() == ["waiting for lease.json", "error: it lives"]


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200.0), ("1h30m", 5400.0), ("90", 90.0), ("7200.0", 7200.0)])
def test_a_new_time_of_a_training_is_a_duration(text: str, seconds: float) -> None:
    assert options.as_seconds("--max-time", text) == seconds
    _, word = options.as_words(max_time=seconds)
    assert options.as_seconds("--max-time", word) == seconds, "as it is sent to a job elsewhere"


@pytest.mark.parametrize("text", ["soon", "0", "-5", "", "1.2.3", "nan"])
def test_what_is_no_duration_is_refused(sweep: Callable[..., Ran], results: Path, text: str) -> None:
    ran = sweep("resume", "made-up-2", "--max-time", text)
    assert ran.code == 2
    assert ran.err.startswith("error: --max-time: ")
    assert "is not a duration; allowed: as in 90s, 10m" in ran.err
