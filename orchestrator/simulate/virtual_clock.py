"""Runs a sweep on simulated slots, through the same calls that the Ray Tune integration makes.

The virtual clock is the driver's: it handles one message at a time while others wait. The clock advances to the next
message or, if the driver is behind, by the cost of the last one.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core import events
from orchestrator.core.rows import EventRow, Failure, MetricRow, TrialRow
from orchestrator.core.rung_unit import reached
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.costs import Costs
from trainables.report import Report

Curve = Iterable[tuple[float, int, Mapping[str, float]]]
"""The reports of one training from its beginning: (seconds since the previous report, step, metrics).

An attempt that continues from a checkpoint skips the steps that are recorded."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything a simulated sweep recorded."""

    seconds: float  # on the virtual clock, until the last trial ended
    busy_s: float  # training time, summed over slots
    metrics: list[MetricRow]
    events: list[EventRow]
    trials: dict[int, TrialRow]
    driver_s: float = 0.0  # time that the driver was busy
    search_s: float = 0.0  # time that the search was busy with proposals


def simulate(
    sweep: Sweep,
    train: Callable[[events.Start], Curve],
    *,
    slots: int,
    costs: Costs | None = None,
    starts_at_once: int | None = None,
    began: float = 0.0,
    saves: bool = True,
) -> Outcome:
    """Run a sweep to its end on a virtual clock.

    As in a running sweep, a trial hands its reports over when a decision is due; at once it does so only if a budget
    depends on it, or if the objective is missing, has diverged or has reached the target. A curve is therefore read
    ahead, up to a decision.

    Args:
        sweep: The state machine, not yet begun.
        train: Returns the curve of an attempt; an exception counts as raised by the trainable. Costs treat every step
            between two reports as reported.
        slots: Number of trials that run at once.
        costs: Overhead in addition to training; None: none.
        starts_at_once: Number of worker processes that the cores can start in parallel without slowdown; None: all.
            More processes share the cores and start more slowly.
        began: The start of the virtual clock.
        saves: Whether the trainable saves its state at each step. If not, it cannot pause, and a further attempt trains
            again from the beginning.
    """
    sweep.begin(began)
    crowd = max(1.0, min(slots, sweep.total or slots) / (starts_at_once or slots))
    run = _Run(sweep, train, costs or Costs(), crowd, began, saves=saves)
    while not sweep.finished:
        run.fill(slots)
        if run.busy:
            run.next_message()
        elif sweep.due is not None:
            run.now = max(run.now, sweep.due)
        else:
            break
    rows = sweep.take(run.now)
    return Outcome(
        seconds=run.now - began,
        busy_s=run.trained_s(),
        metrics=rows.metrics,
        events=rows.events,
        trials={row.trial: row for row in rows.trials},
        driver_s=run.driver_s,
        search_s=run.search_s,
    )


class _Run:
    def __init__(
        self,
        sweep: Sweep,
        train: Callable[[events.Start], Curve],
        costs: Costs,
        crowd: float,
        began: float,
        *,
        saves: bool,
    ) -> None:
        self.sweep = sweep
        self.now = began + costs.launch_s
        self.driver_s = self.search_s = 0.0
        limit = sweep.limits.seconds
        self._deadline = math.inf if limit is None else began + limit - sweep.usage.earlier_s
        self._queue: list[tuple[float, int, _Training]] = []  # ordered by the time of the next message
        self._train = train
        self._saves = saves
        self._costs = costs
        self._crowd = crowd  # processes that start per core
        self._workers = 0  # processes started so far
        self._proposed = self.now  # when the latest proposal was ready, and taken
        self._trained_s = 0.0
        self._load = 0.0  # the share of the driver's time spent on heartbeats
        self._order = itertools.count()  # ties are handled in order of arrival

    @property
    def busy(self) -> bool:
        """Whether a message is on its way."""
        return bool(self._queue)

    def fill(self, slots: int) -> None:
        """Start trials while there are free slots."""
        while self.sweep.live < slots and (start := self.sweep.ask(self.now)) is not None:
            proposed_at = self._proposed_at(start)
            self._work(self._costs.start_s)
            self.sweep.on(events.Started(trial=start.trial, at=self.now))
            curve = iter(self._train(start))
            if self._saves:
                curve = _after(start.recorded, curve)
            training = _Training(start, curve, self.sweep)
            self._advance(training, max(self.now, proposed_at) + self._until_it_trains())

    def next_message(self) -> None:
        """Let the driver handle the next message, unless the time limit comes first."""
        arrived, _, training = self._queue[0]
        if max(self.now, arrived) >= self._deadline:
            self._reach_deadline()
            if self.sweep.finished:
                return
        heapq.heappop(self._queue)
        self.now = max(self.now, arrived)
        self._load -= training.load
        self.driver_s += training.load * training.segment_s
        self._trained_s += training.segment_s
        self._work(training.message_s)
        self.sweep.on(events.Ticked(at=self.now))
        if training.reports and not self._hand_over(training, training.reports):
            return
        if training.ended is not None:
            self.sweep.on(training.ended(self.now))
        else:
            self._advance(training, self.now)

    def _reach_deadline(self) -> None:
        """Let the time run out: what was reported by then counts."""
        self.now = max(self.now, self._deadline)
        for _, _, training in sorted(self._queue):
            self._hand_over(training, [report for report in training.reports if report.reported_at <= self._deadline])
        self.sweep.on(events.Ticked(at=self.now))

    def _hand_over(self, training: _Training, reports: list[Report]) -> bool:
        """Tell the sweep of reports; returns whether the trial continues."""
        saved = reports[-1].step if reports and self._saves else None
        return self.sweep.on(events.Reported(trial=training.trial, at=self.now, reports=reports, saved=saved))

    def trained_s(self) -> float:
        """Training time of all slots so far, including trainings cut off by the end of the sweep."""
        cut = (max(0.0, min(self.now, at) - (at - training.segment_s)) for at, _, training in self._queue)
        return self._trained_s + sum(cut)

    def _advance(self, training: _Training, at: float) -> None:
        training.advance(at, self._costs)
        self._load += training.load
        heapq.heappush(self._queue, (at + training.segment_s, next(self._order), training))

    def _proposed_at(self, start: events.Start) -> float:
        """When a trial's configuration is proposed: one after the other, beside the driver.

        As in ``driver/proposals.py``, the next one is computed ahead if several trials run.
        """
        if start.attempt > 1:
            return self.now
        ask_s = self._costs.ask_s + self._costs.ask_each_s * len(self.sweep.trials)
        self.search_s += ask_s
        began = self._proposed if self.sweep.live > 1 else max(self.now, self._proposed)
        self._proposed = max(self.now, began + ask_s)
        return self._proposed

    def _until_it_trains(self) -> float:
        if self.sweep.live <= self._workers:
            return self._costs.turn_s
        self._workers += 1
        return self._costs.worker_s * self._crowd

    def _work(self, seconds: float) -> None:
        """Advance the clock by work of the driver, slowed down by heartbeats, at most by one from every trial."""
        self.driver_s += seconds
        self.now += seconds / max(1 - self._load, 1 / (1 + self.sweep.live))


class _Training:
    """One attempt: its curve and its next message.

    Attributes:
        reports: The reports that the message contains.
        ended: Makes the event of the attempt's end, if the message tells of it; None: the attempt continues.
        segment_s: Seconds of training until that message.
        message_s: The driver's cost of that message.
        load: The share of the driver's time spent on heartbeats until then.
    """

    def __init__(
        self, start: events.Start, curve: Iterator[tuple[float, int, Mapping[str, float]]], sweep: Sweep
    ) -> None:
        self.trial = start.trial
        self.reports: list[Report] = []
        self.ended: Callable[[float], events.Event] | None = None
        self.segment_s = self.message_s = self.load = 0.0
        self._curve = curve
        self._trained_s = start.trained_s  # over all attempts
        self._step = self._recorded = start.recorded or 0
        self._decided = 0
        self._unit = start.unit
        self._last = math.inf if sweep.limits.max_step is None else sweep.limits.max_step
        self._rungs: Sequence[float] = (*start.rungs, math.inf)
        self._objective = sweep.objective
        self._most_s = math.inf if sweep.limits.trial_seconds is None else sweep.limits.trial_seconds
        self._target = sweep.limits.target
        # GPU time is counted in reports, and patience waits for the best of those that run
        self._hand_over_each = sweep.limits.gpu_seconds is not None or sweep.limits.patience is not None

    def advance(self, at: float, costs: Costs) -> None:
        """Go to the next message, which tells of the reports until a decision is due, or until the end.

        Args:
            at: When the training continues.
            costs: What the message costs the driver.
        """
        before, began_s = self._step, self._trained_s
        self.reports = []
        try:
            self._train_on(at)
        except Exception as error:
            raised = error
            self.ended = lambda at: events.Failed(
                trial=self.trial,
                at=at,
                failure=_failure(raised),
                train_s=self._trained_s,
                numerical=isinstance(raised, OverflowError | FloatingPointError),
            )
        self.segment_s = self._trained_s - began_s
        self.message_s = self.load = 0.0
        if not self.reports:
            return  # the end arrives with the last report
        reports_s = (self._step - before) * costs.report_s
        beats = self.segment_s // costs.heartbeat_s
        if beats:  # heartbeats have already delivered the reports
            self.message_s = costs.message_s
            self.load = (beats * costs.message_s + reports_s) / self.segment_s
        else:
            self.message_s = costs.message_s + reports_s

    def _train_on(self, at: float) -> None:
        due = next(rung for rung in self._rungs if rung > self._decided)
        metric, diverges, reaches = self._objective.metric, self._objective.diverges, self._objective.reaches
        target, passed = self._target, 0.0
        for seconds, step, metrics in self._curve:
            passed += seconds
            self._trained_s += seconds
            self._step = step
            self.reports.append(Report(step=step, metrics=metrics, reported_at=at + passed, train_s=self._trained_s))
            value = metrics.get(metric)
            here = reached(self._unit, step, self._trained_s)
            decides = here >= due and step > self._recorded
            if decides:
                self._decided = here
            completes = self._trained_s >= self._most_s or (step >= self._last and step > self._recorded)
            if decides or completes or self._hand_over_each or value is None or diverges(value):
                return
            if target is not None and reaches(value, target):
                return
        self.ended = lambda at: events.Finished(trial=self.trial, at=at, train_s=self._trained_s)


def _after(
    recorded: int | None, curve: Iterator[tuple[float, int, Mapping[str, float]]]
) -> Iterator[tuple[float, int, Mapping[str, float]]]:
    return itertools.dropwhile(lambda report: recorded is not None and report[1] <= recorded, curve)


def _failure(error: Exception) -> Failure:
    kind = type(error).__name__
    return Failure(type=kind, message=str(error), fingerprint=f"{kind}: {error}")
