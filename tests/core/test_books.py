"""Invariants of a sweep under random events."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.rows import Failure, State
from orchestrator.core.trial import Trial
from tests.core.played import make
from trainables.report import Report

SETTLED = (State.COMPLETED, State.STOPPED)


def best(trials: Iterable[Trial]) -> Trial | None:
    """The first of the trials with the best result, as the table of trials ranks them."""
    judged = [(trial.row(0.0).objective, trial) for trial in trials if trial.row(0.0).objective is not None]
    first = max if judged and judged[0][1].objective.mode == "max" else min
    return first(judged, key=lambda each: each[0], default=(None, None))[1]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_happens_the_books_balance(data: st.DataObject) -> None:
    """Each trial ends in one state, each (trial, step) is recorded once, ascending, and the best are the best."""
    variant = data.draw(st.sampled_from(["stop", "promote", "auto"]))
    objective = {"mode": data.draw(st.sampled_from(["min", "max"])), "at": data.draw(st.sampled_from(["best", "last"]))}
    scheduler = {"method": "asha", "variant": variant, "grace_period": 2}
    sweep = make(trials=8, scheduler=scheduler, trial={"retries": 1}, objective=objective)
    now = 0.0
    recorded: dict[int, int] = {}
    steps: dict[int, int] = {}
    ended: list[int] = []

    def drain() -> None:
        rows = sweep.take(now)
        for row in rows.metrics:
            assert row.step > recorded.get(row.trial, -1)
            recorded[row.trial] = row.step
        for event in rows.events:
            if event.trial is not None and event.event in (
                "completed",
                "stopped",
                "diverged",
                "failed",
                "cancelled",
            ):
                ended.append(event.trial)

    for _ in range(data.draw(st.integers(0, 120))):
        now += 1.0
        live = [trial for trial in sweep.trials if not trial.state.ended and trial.number in sweep._live]
        kind = data.draw(st.sampled_from(["ask", "ask", "start", "report", "report", "return", "raise", "lost"]))
        if kind == "ask":
            sweep.ask(now)
        elif live:
            trial = data.draw(st.sampled_from(live))
            if trial.state is State.PENDING:
                steps[trial.number] = 0
                sweep.on(events.Started(trial=trial.number, at=now))
            elif kind == "report":
                steps[trial.number] += data.draw(st.integers(1, 4))
                loss = data.draw(st.integers(0, 9) | st.just(math.nan))
                saved = data.draw(st.none() | st.just(steps[trial.number]))
                report = Report(step=steps[trial.number], train_s=1.0, reported_at=now, metrics={"loss": loss})
                sweep.on(events.Reported(trial=trial.number, at=now, reports=[report], saved=saved))
            elif kind == "return":
                sweep.on(events.Finished(trial=trial.number, at=now))
            elif kind in ("raise", "lost"):
                failure = Failure(type="E", message="m", fingerprint=f"{now}")
                sweep.on(events.Failed(trial=trial.number, at=now, failure=failure, preempted=kind == "lost"))
        assert sweep.best is best(sweep.trials)
        assert sweep.standings.settled is best(trial for trial in sweep.trials if trial.state in SETTLED)
        if data.draw(st.booleans()):
            drain()
    sweep.on(events.Halted(at=now, reason="the end"))
    drain()
    assert sweep.finished
    paused = [trial.number for trial in sweep.trials if trial.state is State.PAUSED]
    assert sorted(ended + paused) == [trial.number for trial in sweep.trials]
