"""Rebuilds the state machine of a sweep from what was recorded, and nothing else.

Events are replayed in the order in which they were written: the search is told again what it was told, the scheduler's
rungs are entered again. Nothing is asked again and nothing is decided again, except what a crash kept from being
recorded: a report may stand in the records without the decision that was due on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.life import Life
from orchestrator.rows import EventRow, Failure, MetricRow, State, TrialRow
from orchestrator.sweep import HALTED, Sweep


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a sweep has recorded, in the order of writing.

    The table of trials may lag behind the logs, so only what these do not hold is taken from it: where a trial ran.
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
        if event.trial is None:
            continue
        if event.event == State.PENDING:
            sweep.born((event.detail or {})["config"])
            continue
        life = sweep.trials[event.trial]
        _relive(sweep, life, event)
        if event.event in _ENDS and event.decision == HALTED:
            halted.add(life.number)
        else:
            halted.discard(life.number)
    reports: dict[int, list[MetricRow]] = {}
    for report in recorded.metrics:
        reports.setdefault(report.trial, []).append(report)
        sweep.recall(sweep.trials[report.trial], report)
    for row in recorded.trials:
        sweep.trials[row.trial].node, sweep.trials[row.trial].gpu_ids = row.node, row.gpu_ids
    for life in sweep.trials:
        if not life.state.ended or life.number in halted:
            sweep.revive(life, reports.get(life.number, ()), at)
    sweep.resume(used_s=_used(recorded))


def _relive(sweep: Sweep, life: Life, event: EventRow) -> None:
    match event.event:
        case State.RUNNING:
            life.attempts += 1
            life.begin_attempt(event.at)
        case "rung":
            life.rung = event.rung
            sweep.reenter(life, event.rung or 0, event.value)
        case "retry":
            life.end_attempt(event.at)
            life.state = State.PENDING
            life.preemptions += event.decision == "preemption"
            life.failures += event.decision == "failure"
            life.failure = _failure(event)
        case _ if event.event in _ENDS:
            life.end_attempt(event.at)
            life.state, life.reason, life.ended_at = State(event.event), event.reason, event.at
            life.failure = _failure(event)
            life.failures += life.state is State.FAILED
            sweep.retell(life, event.value)


_ENDS = frozenset(state.value for state in State if state.ended)


def _failure(event: EventRow) -> Failure | None:
    return Failure(**event.detail) if event.detail else None


def _used(recorded: Recorded) -> float:
    """Seconds that the sweep ran, over all its sessions; a session ends with the last thing it recorded."""
    times = [(event.at, event.event == "sweep" and event.reason == "began") for event in recorded.events]
    times += [(row.reported_at, False) for row in recorded.metrics]
    return sum(_sessions(sorted(times)))


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
