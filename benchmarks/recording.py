"""How much of the driver's time does writing records take, up to a million reports?

The recorder is called as a driver calls it: 10,000 trials of 100 reports, 50 at a time, at 5,000 reports a second as
on a busy cluster, so for 200 s; ten times a second it gets the new reports and may write. Its clock is the machine's,
but the wait for the next tenth of a second is skipped. All time in the recorder counts, including syncs to disk. The
share is that of the last quarter, from 750,000 to 1,000,000 reports, where the tables are largest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main
from orchestrator.core.journal import Rows
from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.records.recorder import Recorder

TRIALS = 10_000
REPORTS = 100
TICK_S = 0.1
TICKS_A_TRIAL = 10  # it runs for a second
BEGIN_A_TICK = 5  # trials
TICKS = TRIALS // BEGIN_A_TICK
BEGAN = 1_790_000_000.0
KINDS = ("good", "bad", "ugly")


class Clock:
    """A clock: the machine's time plus the waits that were skipped."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return time.perf_counter() + self._skipped

    def skip_to(self, at: float) -> None:
        """Advance the clock without waiting."""
        self._skipped += max(0.0, at - self())


def ours() -> Figures:
    """Time the recorder writing Parquet."""
    from orchestrator.records.load import metrics_table, trials_table
    from orchestrator.records.paths import SweepPaths

    paths = SweepPaths(Path("sweep"))
    paths.root.mkdir()
    clock = Clock()
    recorder = Recorder(paths, sweep="sweep", parameters={"lr": "float", "kind": "str"}, metrics=["loss"], clock=clock)
    began, spent = clock(), []
    for tick in range(TICKS):
        clock.skip_to(began + tick * TICK_S)
        spent.append(_give(recorder, rows_of(tick), recorder.tick))
    clock.skip_to(began + TICKS * TICK_S)
    share = sum(spent) / (clock() - began)
    quarter = TICKS // 4
    last_share = sum(spent[-quarter:]) / (quarter * TICK_S)
    recorder.flush()
    flush = _give(recorder, rows_of(TICKS), recorder.flush)  # the newest file of the log is nearly full
    table = _give(recorder, Rows(metrics=[], events=[], trials=[trial_row(TRIALS - 1, TICKS)]), recorder.flush)
    recorder.close()
    assert metrics_table(paths).num_rows == sum(len(rows_of(tick).metrics) for tick in range(TICKS + 1)) >= 990_000
    assert trials_table(paths).num_rows == TRIALS
    return {
        "last_percent": last_share * 100,
        "percent": share * 100,
        "flush_ms": flush * 1e3,
        "trials_ms": table * 1e3,
        "longest_ms": max(spent) * 1e3,
    }


def _give(recorder: Recorder, rows: Rows, write: Callable[[], None]) -> float:
    began = time.perf_counter()
    recorder.metrics(rows.metrics)
    recorder.events(rows.events)
    for row in rows.trials:
        recorder.trial(row)
    write()
    return time.perf_counter() - began


def rows_of(tick: int) -> Rows:
    """The rows of a tenth of a second: reports of running trials, and trials that start or end."""
    running = range(max(0, (tick - TICKS_A_TRIAL) * BEGIN_A_TICK), min(TRIALS, (tick + 1) * BEGIN_A_TICK))
    metrics: list[MetricRow] = []
    events: list[EventRow] = []
    for trial in running:
        age = tick - trial // BEGIN_A_TICK
        at = BEGAN + tick * TICK_S
        if age == 0:
            detail = {"config": config_of(trial), "origin": "search", "retry_of": None}
            events.append(EventRow(at=at, event="pending", trial=trial, attempt=0, detail=detail))
            events.append(EventRow(at=at, event="running", trial=trial, attempt=1))
            continue
        metrics += (
            MetricRow(
                trial=trial,
                attempt=1,
                step=step,
                train_s=step / REPORTS,
                reported_at=at - TICK_S + step * TICK_S / TICKS_A_TRIAL,
                metrics={"loss": math.sin(trial) / step, "accuracy": math.cos(trial * step)},
            )
            for step in range((age - 1) * TICKS_A_TRIAL + 1, age * TICKS_A_TRIAL + 1)
        )
        if age == TICKS_A_TRIAL:
            events.append(EventRow(at=at, event="completed", trial=trial, attempt=1, step=REPORTS, value=0.1))
    return Rows(metrics=metrics, events=events, trials=[trial_row(trial, tick) for trial in running])


def trial_row(trial: int, tick: int) -> TrialRow:
    """The rows of one trial."""
    age = tick - trial // BEGIN_A_TICK
    ended = age >= TICKS_A_TRIAL
    return TrialRow(
        trial=trial,
        state=State.COMPLETED if ended else State.RUNNING,
        config=config_of(trial),
        seed=trial,
        objective=math.sin(trial),
        objective_best=math.sin(trial),
        objective_last=math.sin(trial),
        best_step=age * TICKS_A_TRIAL,
        last_step=age * TICKS_A_TRIAL,
        attempts=1,
        started_at=BEGAN + trial,
        ended_at=BEGAN + trial + 1 if ended else None,
        train_s=age * TICK_S,
        node="192.0.2.1",
    )


@cache
def config_of(trial: int) -> dict[str, Any]:
    """The configuration of a trial."""
    return {"lr": math.exp(math.sin(trial)), "kind": KINDS[trial % 3]}


QUESTION = Question(
    name="recording",
    title="Writing records on the way to 1,000,000 reports",
    cases={"ours": Case(run=ours)},
    comparisons=[
        Comparison(
            row="13",
            what="writing records, of the driver's time, at 1,000,000 reports",
            figure="last_percent",
            unit="%",
            target=3,
        ),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
