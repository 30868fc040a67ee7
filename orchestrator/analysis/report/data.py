"""What a report shows, as values. Nothing in here is a file, a table or HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator.analysis.compare.importance import Importance
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.summary.evaluations import Evaluation
from orchestrator.analysis.summary.failures import Cause
from orchestrator.analysis.summary.overview import Objective, Overview
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.analysis.time.ledger import Ledger
from orchestrator.core.rows import State
from orchestrator.core.schedulers import RungSummary
from orchestrator.records.provenance import SweepInfo

Cell = float | str
"""A parameter's value on its axis: a number, or a word."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How numbers are laid out along an axis."""

    low: float
    high: float
    log: bool
    beyond: int = 0  # values that lie outside


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A searched parameter as an axis: numbers have a scale, words an order."""

    name: str
    scale: Scale | None = None  # None: words
    bounded: bool = False  # whether the scale ends where the space does
    integer: bool = False
    words: tuple[str, ...] = ()
    when: str | None = None  # the condition under which there is a value
    hit: Literal["low", "high"] | None = None  # the bound at which the best trials lie


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A trial in the table and in every drawing."""

    trial: int
    state: State
    value: float | None  # its result
    step: int | None  # at which it had that value
    last_step: int | None
    train_s: float
    reason: str
    verdict: str  # on its curves, in a word or two; "" if there is none
    because: str
    cells: Mapping[str, Cell]  # its configuration; what a condition left out is absent


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """The reports of a trial, as many as are drawn."""

    trial: int
    steps: tuple[int, ...]
    values: tuple[tuple[float | None, ...], ...]  # as Curves.metrics, each a value a step; None: not finite


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The curves that are drawn, and how many there would have been."""

    metrics: tuple[str, ...]  # the objective first
    scales: tuple[Scale, ...]  # one a metric
    curves: tuple[Curve, ...]
    trials: int  # that have reported
    reports: int
    drawn: int  # reports
    other_metrics: tuple[str, ...] = ()  # for which there was no room


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """An attempt in a slot."""

    trial: int
    attempt: int
    lane: int  # its slot: an index into Timeline.lanes
    began: float
    ended: float
    outcome: str  # the trial's state after it; "retry" if another attempt followed


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Who trained where, and when. Times are seconds since the epoch."""

    lanes: tuple[str, ...]  # a node's name a slot, the slots of a node in a row
    spans: tuple[Span, ...]
    sessions: tuple[tuple[float, float], ...]  # a launch and each resume: from when to when
    busy: Mapping[str, float]  # node to the share of its slots' time in which a trial was there


@dataclass(frozen=True, kw_only=True)
class DivergenceMap:
    """Where in the space trials diverge."""

    across: str  # the parameter that tells diverged trials from others best
    up: str | None  # the next best; None: there is no other number in the space


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """All that a report shows of a sweep."""

    info: SweepInfo
    directory: str
    made: str  # when, ISO 8601
    overview: Overview
    objective: Objective
    notes: tuple[str, ...]
    top: tuple[RankedTrial, ...]
    certainty: tuple[str, ...]  # how sure the best is, a sentence each
    findings: tuple[Finding, ...]  # the diagnosis
    evaluations: tuple[Evaluation, ...]
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]  # every trial, in the order of their numbers
    result: Scale | None  # of the results; None: there is none
    curves: Curves
    rungs: tuple[RungSummary, ...]
    importance: Importance
    timeline: Timeline
    divergence: DivergenceMap | None
    causes: tuple[Cause, ...]
    regions: Mapping[str, str]  # a cause's fingerprint to where in the space it strikes, "" if no parameter tells
    ledger: Ledger
    spec: str  # as it was written
