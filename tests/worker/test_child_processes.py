"""Processes that a trial started end with the trial; with os.waitid, and without as on macOS before Python 3.13."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.worker.child_processes import ChildProcesses

LASTING = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(params=["with waitid", "without"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.delattr(os, "waitid", raising=False)


@pytest.fixture
def older() -> Iterator[subprocess.Popen[bytes]]:
    """A process that was started before the trial began."""
    process = subprocess.Popen(LASTING)
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("system")
def test_only_what_the_trial_started_is_killed(older: subprocess.Popen[bytes]) -> None:
    children = ChildProcesses()
    begun = subprocess.Popen(LASTING)
    children.kill()
    assert begun.wait(timeout=30) < 0
    assert older.poll() is None


@pytest.mark.usefixtures("system")
def test_a_trial_that_started_nothing() -> None:
    ChildProcesses().kill()
