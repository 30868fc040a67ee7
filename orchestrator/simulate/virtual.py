"""Drives a sweep over imagined slots, by the same calls as the border with Ray Tune makes."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator import events
from orchestrator.rows import EventRow, Failure, MetricRow, TrialRow
from orchestrator.sweep import Sweep

Curve = Iterable[tuple[float, int, Mapping[str, float]]]
"""What one training reports: (seconds since the report before, step, metrics)."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that a simulated sweep recorded."""

    seconds: float  # of the virtual clock, to the last trial's end
    busy_s: float  # summed over slots
    metrics: list[MetricRow]
    events: list[EventRow]
    trials: dict[int, TrialRow]


def simulate(
    sweep: Sweep,
    train: Callable[[events.Start], Curve],
    *,
    slots: int,
    overhead_s: float = 0.0,
    began: float = 0.0,
) -> Outcome:
    """Run a sweep to its end on a virtual clock.

    Args:
        sweep: The machine, not yet begun.
        train: The curve of an attempt; an exception it raises is the trainable's.
        slots: How many trials run at once.
        overhead_s: Seconds that each trial costs its slot beside training.
        began: The virtual clock's start.
    """
    run = _Run(sweep, train, overhead_s, began)
    while True:
        run.fill(slots)
        if run.queue:
            run.next_report()
        elif sweep.due is not None and not sweep.finished:
            run.now = max(run.now, sweep.due)
        else:
            break
    rows = sweep.take(run.now)
    return Outcome(
        seconds=run.now - began,
        busy_s=run.busy_s,
        metrics=rows.metrics,
        events=rows.events,
        trials={row.trial: row for row in rows.trials},
    )


class _Run:
    def __init__(self, sweep: Sweep, train: Callable[[events.Start], Curve], overhead_s: float, began: float) -> None:
        self.sweep = sweep
        self.now = began
        self.busy_s = 0.0
        self.queue: list[tuple[float, int, _Training]] = []  # by the time of the next report
        self._train = train
        self._overhead_s = overhead_s
        self._order = itertools.count()  # ties go to who was first

    def fill(self, slots: int) -> None:
        while self.sweep.live < slots and (start := self.sweep.ask(self.now)) is not None:
            self.sweep.on(events.Started(trial=start.trial, at=self.now))
            self._advance(_Training(start.trial, iter(self._train(start))), self._overhead_s)

    def next_report(self) -> None:
        self.now, _, training = heapq.heappop(self.queue)
        self.sweep.on(events.Ticked(at=self.now))
        if training.ended is not None:
            self.sweep.on(training.ended(self.now))
            return
        measurement = events.Measurement(
            step=training.step, train_s=training.trained_s, reported_at=self.now, metrics=training.metrics
        )
        if self.sweep.on(events.Reported(trial=training.trial, at=self.now, measurements=[measurement])):
            self._advance(training, 0.0)

    def _advance(self, training: _Training, delay: float) -> None:
        seconds = training.advance()
        self.busy_s += seconds
        heapq.heappush(self.queue, (self.now + delay + seconds, next(self._order), training))


class _Training:
    """One attempt: its curve, and the report that comes next."""

    def __init__(self, trial: int, curve: Iterator[tuple[float, int, Mapping[str, float]]]) -> None:
        self.trial = trial
        self.trained_s = 0.0
        self.step = 0
        self.metrics: Mapping[str, float] = {}
        self.ended: Callable[[float], events.Event] | None = None
        self._curve = curve

    def advance(self) -> float:
        """Go to the next report, or to the end; returns the seconds of training until then."""
        try:
            seconds, self.step, self.metrics = next(self._curve)
        except StopIteration:
            self.ended = lambda at: events.Returned(trial=self.trial, at=at, train_s=self.trained_s)
            return 0.0
        except Exception as error:
            raised = error
            self.ended = lambda at: events.Raised(
                trial=self.trial,
                at=at,
                failure=_failure(raised),
                train_s=self.trained_s,
                numerical=isinstance(raised, OverflowError | FloatingPointError),
            )
            return 0.0
        self.trained_s += seconds
        return seconds


def _failure(error: Exception) -> Failure:
    kind = type(error).__name__
    return Failure(type=kind, message=str(error), fingerprint=f"{kind}: {error}")
