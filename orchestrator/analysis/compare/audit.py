"""How often early stopping was wrong, as the trials show that it cut and that ran on: scheduler.audit in the spec."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.analysis.summary.overview import Objective, objective_of
from orchestrator.analysis.time.ledger import ledger_in
from orchestrator.core.ladder import DEFAULT_REDUCTION_FACTOR
from orchestrator.core.rows import State
from orchestrator.core.rung_unit import reached, recorded_unit
from orchestrator.core.schedulers import Action
from orchestrator.records.details import parsed_detail
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A trial that was cut at a rung, and ran on."""

    trial: int
    bracket: int
    rung: int
    train_s: float  # by then


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What became of the audited trials."""

    cut: int  # trials that were cut, the audited ones included
    audited: tuple[int, ...]  # trials that ran on, and came to their end
    going_on: int  # audited trials that did not yet
    best: tuple[int, ...]  # of those: better than every trial that was not audited
    judged: int  # of those: with a rung after their cut that others have entered
    passed: tuple[int, ...]  # of those: among the best 1/eta of the next rung
    reduction_factor: int  # eta
    saved_s: float | None  # slot or GPU seconds of training that the cuts saved; None: unknown
    spent_s: float  # seconds of training that the audit took


def audit_in(paths: SweepPaths, info: SweepInfo) -> AuditResult | None:
    """The audit of a sweep; None if its spec asks for none and no trial was audited.

    Raises:
        RecordsError: The records are damaged.
    """
    scheduler = info.spec.get("scheduler") or {}
    if not scheduler.get("audit"):
        return None
    trials = {row["trial"]: row for row in trials_table(paths).to_pylist()}
    events = [row for row in events_table(paths).to_pylist() if row["trial"] in trials]
    objective = objective_of(info)
    metrics = metrics_table(paths)
    curves: dict[int, list[tuple[int, float]]] = defaultdict(list)
    if objective.metric in metrics.column_names:
        unit = recorded_unit(info.spec)
        columns = (metrics[name].to_pylist() for name in ("trial", "step", "train_s", objective.metric))
        for trial, step, train_s, value in zip(*columns, strict=True):
            if value is not None:
                curves[trial].append((reached(unit, step, train_s), value))
    return audit_of(
        trials,
        events,
        curves,
        objective=objective,
        reduction_factor=scheduler.get("reduction_factor") or DEFAULT_REDUCTION_FACTOR,
        saved_s=ledger_in(paths, info).saved,
        log=paths.events,
    )


def audit_of(
    trials: Mapping[int, Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
    curves: Mapping[int, Sequence[tuple[int, float]]],
    *,
    objective: Objective,
    reduction_factor: int,
    saved_s: float | None = None,
    log: Path = Path("events"),
) -> AuditResult:
    """Judge the audited trials.

    Args:
        trials: Rows of the table of trials, by number.
        events: Rows of the events, in order.
        curves: (step, objective) of each trial, in order; the step in the unit of the rungs.
        objective: How values compare.
        reduction_factor: eta.
        saved_s: What the cuts saved.
        log: Where the events were read from, for errors.
    """
    cuts: dict[int, Cut] = {}
    entered: dict[tuple[int, int], list[float]] = defaultdict(list)  # losses, by bracket and rung
    reached_s: dict[tuple[int, int], float] = {}
    sign = 1.0 if objective.mode == "min" else -1.0
    for row in events:
        if row["decision"] not in set(Action):
            continue
        trial, rung = row["trial"], row["rung"]
        bracket = trials[trial]["bracket"] or 0
        if row["event"] == "rung":
            entered[bracket, rung].append(sign * row["value"])
            reached_s[trial, rung] = parsed_detail("rung", row["detail"], log).get("train_s") or 0.0
        if row["decision"] == Action.AUDIT:
            train_s = reached_s.get((trial, rung), 0.0)
            cuts[trial] = Cut(trial=trial, bracket=bracket, rung=rung, train_s=train_s)
    done = [cut for cut in cuts.values() if trials[cut.trial]["state"] in (State.COMPLETED, State.DIVERGED)]
    others = [row["objective"] for row in trials.values() if row["trial"] not in cuts and row["objective"] is not None]
    record = min((sign * value for value in others), default=math.inf)
    following = {cut.trial: _next_rung(cut, entered) for cut in done}
    judged = [cut for cut in done if following[cut.trial] is not None]
    return AuditResult(
        cut=len(cuts) + sum(row["state"] == State.STOPPED for row in trials.values()),
        audited=tuple(cut.trial for cut in done),
        going_on=sum(not State(trials[number]["state"]).ended for number in cuts),
        best=tuple(
            cut.trial for cut in done if (value := trials[cut.trial]["objective"]) is not None and sign * value < record
        ),
        judged=len(judged),
        passed=tuple(
            cut.trial
            for cut in judged
            if _among_best(
                _loss_at(curves.get(cut.trial, ()), following[cut.trial] or 0, sign),
                entered[cut.bracket, following[cut.trial] or 0],
                reduction_factor,
            )
        ),
        reduction_factor=reduction_factor,
        saved_s=saved_s,
        spent_s=sum(max(0.0, (trials[cut.trial]["train_s"] or 0.0) - cut.train_s) for cut in cuts.values()),
    )


def _next_rung(cut: Cut, entered: Mapping[tuple[int, int], Sequence[float]]) -> int | None:
    return min((rung for bracket, rung in entered if bracket == cut.bracket and rung > cut.rung), default=None)


def _loss_at(curve: Sequence[tuple[int, float]], step: int, sign: float) -> float:
    """The loss of the first report at the step or later; infinite if there is none."""
    return next((sign * value for at, value in curve if at >= step), math.inf)


def _among_best(loss: float, others: Sequence[float], reduction_factor: int) -> bool:
    """Whether a loss would be among the best 1/eta of a rung, itself included."""
    return sum(other < loss for other in others) < (len(others) + 1) / reduction_factor
