"""Rebuilds the state machine of a sweep from what was recorded, and nothing else.

Events are replayed in the order in which they were written: the search is told again what it was told, the scheduler's
rungs are entered again. Nothing is asked again and nothing is decided again, except what a crash kept from being
recorded: a report may stand in the records without the decision that was due on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from orchestrator.core.node_health import Node
from orchestrator.core.rows import (
    EVALUATION,
    NODE,
    OUT_OF_MEMORY,
    PACKING,
    EventRow,
    Failure,
    MetricRow,
    Origin,
    State,
    TrialRow,
)
from orchestrator.core.sweep import HALTED, Sweep
from orchestrator.core.trial import Trial, best_of


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a sweep has recorded, in the order of writing.

    The table of trials may lag behind the logs, so only what these do not hold is taken from it: where a trial
    ran, and how long its processes took to start.
    """

    events: Sequence[EventRow]
    metrics: Sequence[MetricRow]
    trials: Sequence[TrialRow] = ()


def replay(sweep: Sweep, recorded: Recorded, at: float) -> None:
    """Bring a machine that has not begun to where the recorded one was. Unfinished trials are asked for again.

    Args:
        sweep: Of the same spec; limits may be larger.
        recorded: All events and reports.
        at: Now.
    """
    halted: set[int] = set()  # trials that were cancelled with the sweep
    for event in recorded.events:
        if event.event == NODE and event.detail is not None:
            sweep.node_health.set_aside[event.detail["node_id"]] = event.reason or ""
        if event.event == PACKING and event.detail is not None:
            sweep.gpu_shares.chosen(event.detail["gpus"])
        if event.trial is None or event.event == EVALUATION:
            continue
        if event.event == State.PENDING:
            detail = event.detail or {}
            sweep.add_trial(detail["config"], Origin(detail["origin"]), detail["retry_of"])
            continue
        trial = sweep.trials[event.trial]
        _replay_event(sweep, trial, event)
        if event.event in _ENDS and event.decision == HALTED:
            halted.add(trial.number)
        else:
            halted.discard(trial.number)
    reports: dict[int, list[MetricRow]] = {}
    for report in recorded.metrics:
        reports.setdefault(report.trial, []).append(report)
        _replay_report(sweep, sweep.trials[report.trial], report)
    for row in recorded.trials:
        trial = sweep.trials[row.trial]
        trial.gpu_ids, trial.startup_s = row.gpu_ids, row.startup_s
        trial.node = None if row.node is None else Node(id=row.node_id or "", name=row.node)
        trial.gpus = row.gpus or trial.gpus
    for trial in sweep.trials:
        if not trial.state.ended or trial.number in halted:
            _requeue_unfinished(sweep, trial, reports.get(trial.number, ()), at)
    sweep.used_s = _used(recorded)
    sweep.best = best_of(sweep.trials)
    for trial in sweep.trials:
        sweep.journal.trial_changed(trial)  # the table of trials is to catch up


def _replay_event(sweep: Sweep, trial: Trial, event: EventRow) -> None:
    match event.event:
        case State.RUNNING:
            trial.attempts += 1
            trial.gpus = max(sweep.gpu_shares.gpus, trial.own_gpu_share)
            trial.begin_attempt(event.at)
        case "rung":
            trial.rung = event.rung
            _replay_rung(sweep, trial, event.rung or 0, event.value)
        case "retry":
            trial.end_attempt(event.at)
            trial.failures -= trial.state is State.FAILED  # for good, and it was the node
            trial.state = State.PENDING
            trial.preemptions += event.decision == "preemption"
            trial.failures += event.decision == "failure"
            trial.failure = _failure(event)
            if event.decision == OUT_OF_MEMORY and event.detail is not None:
                trial.own_gpu_share = event.detail["gpus"]
        case _ if event.event in _ENDS:
            trial.end_attempt(event.at)
            trial.state, trial.reason, trial.ended_at = State(event.event), event.reason, event.at
            trial.failure = _failure(event)
            trial.failures += trial.state is State.FAILED
            _replay_feedback(sweep, trial, event.value)


def _replay_rung(sweep: Sweep, trial: Trial, rung: int, value: float | None) -> None:
    """The trial entered a rung, and what was decided there stands."""
    if value is None or not math.isfinite(value):
        sweep.scheduler.diverge(trial.number)
    else:
        sweep.scheduler.report(trial.number, rung, value)


def _replay_feedback(sweep: Sweep, trial: Trial, value: float | None) -> None:
    """The trial ended, with this value told to the search."""
    if trial.state is State.DIVERGED:
        sweep.search_feedback.diverged(trial)
    elif trial.state in (State.COMPLETED, State.STOPPED) and value is not None:
        sweep.search_feedback.result(trial, value, step=trial.rung if trial.state is State.STOPPED else None)


def _replay_report(sweep: Sweep, trial: Trial, row: MetricRow) -> None:
    """The trial reported this."""
    before = trial.train_s
    trial.restore_report(row)
    sweep.add_training_time(trial, trial.train_s - before)
    value = row.metrics.get(sweep.objective.metric)
    if value is not None and not sweep.objective.diverges(value):
        trial.measure(row.step, value)


def _requeue_unfinished(sweep: Sweep, trial: Trial, rows: Sequence[MetricRow], at: float) -> None:
    """The trial had not ended: decide what was due and is not recorded, and attempt it again if it goes on."""
    trial.reset_to_pending()
    for row in rows:
        value = row.metrics.get(sweep.objective.metric)
        if value is not None and not trial.state.ended:
            sweep.objective_reported(trial, at, row.step, value)
    if not trial.state.ended:
        sweep.trial_queue.enqueue(trial)


_ENDS = frozenset(state.value for state in State if state.ended)


def _failure(event: EventRow) -> Failure | None:
    return Failure(**{each.name: event.detail[each.name] for each in fields(Failure)}) if event.detail else None


def _used(recorded: Recorded) -> float:
    """Seconds that the sweep ran, over all its sessions; a session ends with the last thing it recorded."""
    times = [
        (event.at, event.event == "sweep" and event.reason == "began")
        for event in recorded.events
        if event.event != EVALUATION
    ]
    times += [(row.reported_at, False) for row in recorded.metrics]
    return sum(_sessions(sorted(times, key=lambda entry: entry[0])))  # of the same time as written


def _sessions(times: Iterable[tuple[float, bool]]) -> Iterable[float]:
    began = last = None
    for at, begins in times:
        if begins and began is not None and last is not None:
            yield last - began
        if begins or began is None:
            began = at
        last = at
    if began is not None and last is not None:
        yield last - began
