"""A batch system sends SIGTERM to all processes of a job: that its programs end is no failure of theirs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainables.command.test_program import python
from trainables.command.failure import ProgramFailed
from trainables.report import Report
from trainables.trial import Trial, TrialEnded


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """This process goes on when it gets the signal, as that of a trial does."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


WAITS = "import time; print('{\"loss\": 1}', flush=True); time.sleep(60)"
EXITS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); " + WAITS


@pytest.mark.parametrize("code", [WAITS, EXITS], ids=["dies", "exits in order"])
def test_a_program_that_ends_with_its_job_waits_for_the_sweep(code: str, tmp_path: Path, heard: list[int]) -> None:
    looks = []

    def ended() -> bool:
        """What the sweep says: it ends the trial a while after the signal."""
        if heard:
            looks.append(1)
        return len(looks) > 8

    trial = Trial(config={}, directory=tmp_path, sink=lambda report: _signal_all(), ended=ended)
    with pytest.raises(TrialEnded):
        python(code)(trial.config, trial)
    assert heard == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN)


def test_a_program_that_alone_is_sent_the_signal_has_failed(tmp_path: Path, heard: list[int]) -> None:
    code = "import os, signal; print('{\"loss\": 1}', flush=True); os.kill(os.getpid(), signal.SIGTERM)"
    reports: list[Report] = []
    trial = Trial(config={}, directory=tmp_path, sink=reports.append)
    with pytest.raises(ProgramFailed, match="SIGTERM"):
        python(code)(trial.config, trial)
    assert len(reports) == 1


def _signal_all() -> None:
    """As Slurm does at the end of a job: this process, and what it has started."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        process.terminate()
    os.kill(os.getpid(), signal.SIGTERM)
