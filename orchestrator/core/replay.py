"""Rebuilds the state machine of a sweep from its records alone.

Events are replayed in the order of writing: the search is told again what it was told, and the scheduler's rungs are
entered again. Nothing is proposed or decided again, except where a crash prevented recording: a report may be recorded
without the decision that was due on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from orchestrator.core.node_health import Node
from orchestrator.core.rows import (
    ENDS,
    EVALUATION,
    HALTED,
    NODE,
    OUT_OF_MEMORY,
    PACKING,
    PROMOTED,
    SUGGESTED,
    EventRow,
    Failure,
    MetricRow,
    Origin,
    State,
    TrialRow,
)
from orchestrator.core.schedulers import Action, Decision
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.spec import Objective


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The records of a sweep, in the order of writing.

    The table of trials may lag behind events and metrics, so it only provides what these lack: where a trial ran, and
    how long its processes took to start.
    """

    events: Sequence[EventRow]
    metrics: Sequence[MetricRow]
    trials: Sequence[TrialRow] = ()


def replay(sweep: Sweep, recorded: Recorded, at: float, *, requeue: bool = True) -> None:
    """Bring a new sweep to the recorded state. Unfinished trials are queued again.

    Args:
        sweep: A sweep of the same spec that has not begun; its limits may be larger.
        recorded: All events and reports.
        at: The time, in seconds since the epoch.
        requeue: False: leave unfinished trials in the states that were recorded, because the sweep does not go on.
    """
    halted: set[int] = set()  # trials that were cancelled because the sweep ended
    paused_at: dict[int, int | None] = {}  # the last step of paused trials
    saves = any(event.decision == Action.PAUSE for event in recorded.events)
    for event in recorded.events:
        if event.event == NODE and event.detail is not None:
            sweep.node_health.set_aside[event.detail["node_id"]] = event.reason or ""
        if event.event == PACKING and event.detail is not None:
            sweep.gpu_shares.chosen(event.detail["gpus"])
        if event.trial is None or event.event == EVALUATION:
            continue
        if event.event == State.PENDING:
            detail = event.detail or {}
            sweep.search_feedback.running(
                sweep.new_trials.restore(detail["config"], Origin(detail["origin"]), detail["retry_of"])
            )
            continue
        trial = sweep.trials[event.trial]
        _replay_event(sweep, trial, event)
        if event.event == State.PAUSED:
            paused_at[trial.number] = event.step
        if event.event in ENDS and event.decision == HALTED:
            halted.add(trial.number)
        else:
            halted.discard(trial.number)
    reports: dict[int, list[MetricRow]] = {}
    for report in recorded.metrics:
        reports.setdefault(report.trial, []).append(report)
        _replay_report(sweep, sweep.trials[report.trial], report)
    _replay_patience(sweep, recorded.events, reports)
    for row in recorded.trials:
        trial = sweep.trials[row.trial]
        trial.gpu_ids, trial.startup_s = row.gpu_ids, row.startup_s
        trial.node = None if row.node is None else Node(id=row.node_id or "", name=row.node)
        trial.gpus = row.gpus or trial.gpus
    for trial in sweep.trials if requeue else ():
        if trial.state is State.PAUSED:
            if trial.last_step == paused_at[trial.number]:
                continue
            sweep.rungs.promote(trial)  # it has reported since, and only its promotion was not recorded
        if not trial.state.ended or trial.number in halted:
            since = paused_at.get(trial.number, -1) or 0  # what was reported by then is decided
            rows = [row for row in reports.get(trial.number, ()) if row.step > since]
            _requeue_unfinished(sweep, trial, rows, at, saves=saves)
    sweep.usage.earlier_s = _used(recorded)
    sweep.standings.rebuild()
    for trial in sweep.trials:
        sweep.journal.trial_changed(trial)  # the recorded table of trials may lag behind


def _replay_event(sweep: Sweep, trial: Trial, event: EventRow) -> None:
    if event.event in (State.RUNNING, "retry") and trial.state.ended:  # it was continued
        sweep.search_feedback.running(trial)
    match event.event:
        case State.RUNNING:
            trial.attempts += 1
            sweep.find_resources(trial)
            trial.gpus = max(sweep.gpu_share(trial), trial.own_gpu_share)
            trial.begin_attempt(event.at)
        case _ if event.event == SUGGESTED and event.detail is not None:
            trial.suggest(event.detail["config"])
            sweep.search_feedback.running(trial)
        case "rung":
            _replay_rung(sweep, trial, event)
        case State.PAUSED:
            trial.end_attempt(event.at)
            sweep.rungs.restore_paused(trial, event.value or 0.0)
        case _ if event.event == PROMOTED and event.decision == Action.AUDIT:
            sweep.rungs.restore_audit(trial)
        case _ if event.event == PROMOTED:
            sweep.rungs.promote(trial)
        case "retry":
            trial.end_attempt(event.at)
            trial.failures -= trial.state is State.FAILED  # reopened, because its node was to blame
            trial.state = State.PENDING
            trial.preemptions += event.decision == "preemption"
            trial.failures += event.decision == "failure"
            trial.failure = _failure(event)
            if event.decision == OUT_OF_MEMORY and event.detail is not None:
                trial.own_gpu_share = event.detail["gpus"]
        case _ if event.event in ENDS:
            if trial.state is State.PAUSED:
                sweep.rungs.release(trial)
            trial.end_attempt(event.at)
            trial.state, trial.reason, trial.ended_at = State(event.event), event.reason, event.at
            trial.failure = _failure(event)
            trial.failures += trial.state is State.FAILED
            sweep.usage.train(trial, _train_s(event) or 0.0)
            if trial.state is State.DIVERGED:
                sweep.rungs.restore_divergence(trial)
            sweep.search_feedback.ended(trial, event.value, event.step, _train_s(event))


def _replay_rung(sweep: Sweep, trial: Trial, event: EventRow) -> None:
    """Enter a rung again; the recorded decision stands."""
    if event.value is None or not math.isfinite(event.value):
        trial.rung = event.rung  # it diverged, as the next event of the trial says
        return
    decision = Decision(
        rung=event.rung or 0,
        value=event.value,
        cutoff=math.inf if event.cutoff is None else event.cutoff,
        action=Action(event.decision or Action.CONTINUE),
    )
    sweep.rungs.restore(trial, decision, _train_s(event))


def _replay_report(sweep: Sweep, trial: Trial, row: MetricRow) -> None:
    """Take a recorded report."""
    trial.restore_report(row)
    sweep.usage.train(trial, row.train_s)
    value = row.metrics.get(sweep.objective.metric)
    if value is not None and not sweep.objective.diverges(value):
        trial.measure(row.step, value)


def _replay_patience(sweep: Sweep, recorded: Iterable[EventRow], reports: Mapping[int, Sequence[MetricRow]]) -> None:
    """Count the results again, in the order in which the trials ended."""
    for event in recorded:
        if event.trial is not None and event.event in (*ENDS, State.PAUSED):
            value = _result_at(sweep.objective, reports.get(event.trial, ()), event.step)
            sweep.early_end.count(sweep.trials[event.trial], State(event.event), value, event.decision)


def _result_at(objective: Objective, rows: Sequence[MetricRow], step: int | None) -> float | None:
    """The result that a trial had at a step; None if it had none."""
    values = [
        value
        for row in rows
        if row.step <= (step or 0) and (value := row.metrics.get(objective.metric)) is not None
        if not objective.diverges(value)
    ]
    if not values:
        return None
    if objective.at == "last":
        return values[-1]
    return min(values) if objective.mode == "min" else max(values)


def _requeue_unfinished(sweep: Sweep, trial: Trial, rows: Sequence[MetricRow], at: float, *, saves: bool) -> None:
    """Make the decisions of an unfinished trial that were due and not recorded, and queue the trial if it continues."""
    if trial.state.ended:  # cancelled with the sweep
        sweep.search_feedback.running(trial)
    trial.reset_to_pending()
    for row in rows:
        value = row.metrics.get(sweep.objective.metric)
        if value is not None and trial.state is State.PENDING:
            sweep.objective_reported(trial, at, row, value, pausable=saves and row is rows[-1])
    if trial.state is State.PENDING:
        sweep.trial_queue.requeue(trial)


def _failure(event: EventRow) -> Failure | None:
    detail = event.detail or {}
    return Failure(**{each.name: detail.get(each.name, "") for each in fields(Failure)}) if "type" in detail else None


def _train_s(event: EventRow) -> float | None:
    """Seconds of training up to a rung or an end; None if they were not recorded."""
    return (event.detail or {}).get("train_s")


def _used(recorded: Recorded) -> float:
    """Seconds that the sweep ran, over all its sessions; a session ends with its last record.

    The clock may have been set between two sessions, so events belong to one by their order, reports by their attempt.
    """
    sessions: list[tuple[float, float]] = []  # began, last
    of_attempt: dict[tuple[int | None, int | None], int] = {}

    def seen(session: int, at: float) -> None:
        began, last = sessions[session]
        sessions[session] = began, max(last, at)

    for event in recorded.events:
        if event.event == EVALUATION:
            continue
        if not sessions or (event.event, event.reason) == ("sweep", "began"):
            sessions.append((event.at, event.at))
        if event.event == State.RUNNING:
            of_attempt[event.trial, event.attempt] = len(sessions) - 1
        seen(-1, event.at)
    for row in recorded.metrics:
        if sessions:
            seen(of_attempt.get((row.trial, row.attempt), -1), row.reported_at)
    return sum(last - began for began, last in sessions)
