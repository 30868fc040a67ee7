"""A sweep whose records cannot be written for a while starts nothing meanwhile, then continues, and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.core.sweep import Sweep
from orchestrator.driver.observer import RECORDS, NoObserver

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

TRIALS, FREE, STEPS, SLOTS = 30, 10, 4, 2
REFUSED_S = 3.0
"""In which a dozen trials would begin, if any could."""


class Hindrance(NoObserver):
    """An observer that removes the metrics' directory once it has files, and restores it after a while."""

    def __init__(self, metrics: Path, noticed: Path) -> None:
        self._metrics = metrics
        self._noticed = noticed
        self._taken = False
        self.since: float | None = None  # when the sweep noticed
        self.until: float | None = None  # when it could go on

    def show(self, sweep: Sweep, now: float) -> None:
        """Put a file in the place of the directory, because permissions do not stop root."""
        if not self._taken and self._metrics.exists() and not pd.read_parquet(self._metrics).empty:
            self._metrics.rename(self._metrics.with_name("away"))
            self._metrics.touch()
            self._taken = True
        elif self.since and not self.until and now >= self.since + REFUSED_S:
            self._metrics.unlink()
            self._metrics.with_name("away").rename(self._metrics)
            self.until = time.time()

    def trouble(self, what: str, why: str | None) -> None:
        assert what == RECORDS
        if why is not None:
            assert self.since is None, "it is told once"
            self.since = time.time()
            self._noticed.touch()


def test_nothing_starts_while_the_records_cannot_be_written(sweep_of: Callable[..., Any], tmp_path: Path) -> None:
    """From the tenth trial on, each trial reports until the outage is noticed: some begin before, some after."""
    noticed = tmp_path / "noticed"
    hindrance = Hindrance(tmp_path / "results" / "train" / "metrics", noticed)
    sweep = sweep_of(
        f"""
        import itertools, os, time
        def train(config, trial):
            for step in itertools.count(1):
                time.sleep(0.05)
                trial.report(step=step, loss=config["n"] / step)
                if step >= {STEPS} and (config["n"] < {FREE} or os.path.exists({str(noticed)!r})):
                    return
        """,
        hindrance,
        name="train",
        space={"n": {"choice": list(range(TRIALS))}},
        search={"method": "grid"},
        budget={},
    )
    assert sweep_of.error is None
    assert sweep.trials["state"].tolist() == ["completed"] * TRIALS
    lasts = sweep.trials["last_step"].astype(int).tolist()
    assert all(last >= STEPS for last in lasts)
    expected = [(trial, step) for trial, last in enumerate(lasts) for step in range(1, last + 1)]
    assert sorted(zip(sweep.metrics["trial"], sweep.metrics["step"], strict=True)) == expected
    ended = sweep.events[sweep.events["event"] == "completed"]
    assert sorted(ended["trial"]) == list(range(TRIALS))

    begun = sweep.trials["started_at"].map(lambda at: at.timestamp())
    assert (begun < hindrance.since).any()
    assert (begun > hindrance.until).any()
    assert ((begun > hindrance.since) & (begun < hindrance.until)).sum() <= SLOTS, "beyond those handed out just before"
