"""A sweep whose records cannot be written for a while: it starts nothing, then goes on, and misses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.timeout(180)

TRIALS, STEPS = 60, 4
REFUSED_S = 5.0
NOTICED_S = 2.5
"""Within so many seconds after its start, the trouble is noticed: the logs are written every second or two."""


def test_nothing_starts_while_the_records_cannot_be_written(sweep_of: Callable[..., Any], tmp_path: Path) -> None:
    refused: list[float] = []

    def refuse() -> None:
        """As no permission stops root, something else takes the directory's place."""
        metrics = tmp_path / "results" / "train" / "metrics"
        while not metrics.exists() or pd.read_parquet(metrics).empty:
            time.sleep(0.1)
        metrics.rename(metrics.with_name("away"))
        metrics.touch()
        refused.append(time.time())
        time.sleep(REFUSED_S)
        metrics.unlink()
        refused.append(time.time())
        metrics.with_name("away").rename(metrics)

    thread = threading.Thread(target=refuse)
    thread.start()
    sweep = sweep_of(
        f"""
        import time
        def train(config, trial):
            for step in range(1, {STEPS + 1}):
                time.sleep(0.05)
                trial.report(step=step, loss=config["x"] / step)
        """,
        name="train",
        budget={"trials": TRIALS},
    )
    thread.join()
    assert sweep_of.error is None
    assert sweep.trials["state"].tolist() == ["completed"] * TRIALS
    expected = [(trial, step) for trial in range(TRIALS) for step in range(1, STEPS + 1)]
    assert sorted(zip(sweep.metrics["trial"], sweep.metrics["step"], strict=True)) == expected
    ended = sweep.events[sweep.events["event"] == "completed"]
    assert sorted(ended["trial"]) == list(range(TRIALS))

    begun = sweep.trials["started_at"].map(lambda at: at.timestamp())
    first, last = refused
    assert (begun < first).any()
    assert (begun > last).any(), "it was over too soon: give it more trials"
    assert not ((begun > first + NOTICED_S) & (begun < last)).any()
