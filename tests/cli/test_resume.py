"""`sweep resume` before anything runs; on real Ray it is in tests/driver/ and tests/api/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

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
