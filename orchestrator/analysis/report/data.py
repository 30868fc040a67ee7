"""The contents of a report as values: no files, tables or HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.analysis.compare.importance import Importance
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.analysis.summary.evaluations import Evaluation
from orchestrator.analysis.summary.failures import Cause
from orchestrator.analysis.summary.overview import Objective, Overview
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.analysis.time.ledger import Ledger
from orchestrator.core.rows import State
from orchestrator.core.schedulers import RungSummary
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec.sections import Unit

Cell = float | str
"""A parameter's value on its axis: a number or a category."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A numeric scale of an axis."""

    low: float
    high: float
    log: bool
    beyond: int = 0  # number of values outside the scale


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A searched parameter as an axis: numbers have a scale, categories an order."""

    name: str
    scale: Scale | None = None  # None: categories
    bounded: bool = False  # whether the scale ends where the space does
    integer: bool = False
    words: tuple[str, ...] = ()
    when: str | None = None  # the condition under which trials have the parameter
    hit: Literal["low", "high"] | None = None  # the bound at which the best trials lie


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A trial in the table and in every chart."""

    trial: int
    state: State
    value: float | None  # the result
    step: int | None  # of the result
    last_step: int | None
    train_s: float
    reason: str
    verdict: str  # the diagnosis of the curves; "" if there is none
    because: str
    cells: Mapping[str, Cell]  # the configuration, without inactive conditional parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """The reports of a trial that are drawn."""

    trial: int
    steps: tuple[float, ...]  # or seconds of training, where rungs are at seconds
    values: tuple[tuple[float | None, ...], ...]  # per metric of Curves.metrics, one value per step; None: not finite


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The curves that are drawn, and how many there are in all."""

    metrics: tuple[str, ...]  # the objective first
    scales: tuple[Scale, ...]  # one per metric
    curves: tuple[Curve, ...]
    trials: int  # that have reported
    reports: int
    drawn: int  # reports drawn
    other_metrics: tuple[str, ...] = ()  # not drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """An attempt in a slot."""

    trial: int
    attempt: int
    lane: int  # the slot, as an index into Timeline.lanes
    began: float
    ended: float
    outcome: str  # the trial's state after it; "retry" if another attempt followed


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Which trial ran where and when. Times are seconds since the epoch."""

    lanes: tuple[str, ...]  # the node of each slot; slots of a node are adjacent
    spans: tuple[Span, ...]
    sessions: tuple[tuple[float, float], ...]  # start and end of the launch and of each resume
    busy: Mapping[str, float]  # share of slot time with a trial, by node


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """A trial that has ended."""

    trial: int
    spent: float  # seconds of training, or GPU-seconds, in all trials that had ended by then


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The trials that have ended, in that order."""

    unit: Literal["slot", "gpu"]
    ends: tuple[End, ...]


@dataclass(frozen=True, kw_only=True)
class NextChanges:
    """What `sweep next` would change in the spec."""

    changes: tuple[SpecChange, ...]
    remark: str  # why there are none, or none of ranges; "" if there is nothing to say


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEnd:
    """The end of what a trial printed."""

    trial: int
    text: str  # "": it printed nothing
    before: int  # bytes of the log that come before it


@dataclass(frozen=True, kw_only=True)
class Logs:
    """The ends of logs that the page holds."""

    ends: tuple[LogEnd, ...]
    held: int  # bytes in all


@dataclass(frozen=True, kw_only=True)
class BestConfig:
    """What `sweep best` answers, to copy."""

    ranked: RankedTrial
    by_mean: bool  # whether it is a trial of the configuration with the best mean of several
    config: Mapping[str, Any]  # as the trainable got it, fixed values included
    checkpoint: str  # its path; "" if there is none
    no_checkpoint: str  # why there is none, as a clause
    commands: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DivergenceMap:
    """Where in the space trials diverge."""

    across: str  # the parameter that best separates diverged trials from others
    up: str | None  # the next best; None: there is no other numeric parameter


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything a report shows about a sweep."""

    info: SweepInfo
    directory: str
    made: str  # time of creation, ISO 8601
    overview: Overview
    objective: Objective
    notes: tuple[str, ...]
    best: BestConfig | None  # None: no results
    certainty: tuple[str, ...]  # sentences on how certain the best result is
    findings: tuple[Finding, ...]  # the diagnosis
    evaluations: tuple[Evaluation, ...]
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]  # every trial, by number
    result: Scale | None  # scale of the results; None: no results
    curves: Curves
    unit: Unit  # of the rungs: what curves are drawn over
    rungs: tuple[RungSummary, ...]
    progress: Progress
    importance: Importance
    next: NextChanges
    timeline: Timeline
    divergence: DivergenceMap | None
    causes: tuple[Cause, ...]
    regions: Mapping[str, str]  # where in the space each cause occurs, by fingerprint; "" if no parameter explains it
    ledger: Ledger
    logs: Logs
    spec: str  # as the user wrote it
