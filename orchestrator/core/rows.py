"""The nouns of a sweep as values: states, and the rows that are recorded.

The pure core makes them, the records write them, the analysis reads them; so they belong to none of these.
Times are seconds since the epoch (UTC) as floats; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.space.values import Config as Config

EVALUATION = "evaluation"
"""The event of a winner's test scores, measured after the sweep and no part of its running time."""

NODE = "node"
"""The event of a node that is not used any more."""

ACCOUNT = "account"
"""The event at a session's end that says where its time went."""

GPU_OUT_OF_MEMORY = "GpuOutOfMemory"
"""The type of a failure for want of GPU memory, whichever library says so and however."""

OUT_OF_MEMORY = "out of memory"
"""The decision recorded with the retry of a trial that ran out of its share of a GPU's memory; it gets a larger one."""

PACKING = "packing"
"""The event of a choice of how many trials share a GPU."""

GPU_MEMORY = "gpu_memory_gb"
"""The metric beside a trial's own: 10^9 bytes of GPU memory that it has held at most so far."""

GPU_UTILISATION = "gpu_utilisation"
"""Likewise: for how much of the time its GPU was busy of late, 0 to 1."""


class State(StrEnum):
    """Where a trial is in its life.

    ``stopped`` is the scheduler's success, ``diverged`` a finding about the configuration, ``failed`` an error.
    """

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the trial will not run again by itself."""
        return self not in (State.PENDING, State.RUNNING)


class Origin(StrEnum):
    """Who wanted a trial's configuration."""

    START = "start"  # the spec's search.start
    SEARCH = "search"
    ADDED = "added"  # somebody, while the sweep ran
    RETRY = "retry"  # somebody who wants a trial that has ended once more


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRow:
    """One report: what a trial measured at a step."""

    trial: int
    attempt: int  # 1 for the first go
    step: int
    train_s: float  # seconds of training since the trial's first start, over all attempts
    reported_at: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """One change of state, or one decision of the scheduler with the cutoff it compared against."""

    at: float
    event: str  # a state's name for a change of state; else "rung", "retry", "sweep", "note" or one of those above
    trial: int | None = None  # None: the event is the whole sweep's
    attempt: int | None = None
    step: int | None = None
    rung: int | None = None  # the rung's step
    value: float | None = None  # the objective that was compared, or told
    cutoff: float | None = None  # what it was compared against
    decision: str | None = None  # "continue" or "stop"
    reason: str | None = None  # a sentence for people
    detail: Mapping[str, Any] | None = None  # JSON: configuration and origin at "pending", the error at "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What went wrong in a trial."""

    type: str  # the exception's class, or "GpuOutOfMemory", "WorkerDied", "MetricNeverReported", "Timeout"
    message: str
    traceback: str = ""
    fingerprint: str = ""  # the same for failures of the same cause


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRow:
    """One trial as the trials table shows it, now."""

    trial: int
    state: State
    config: Config = field(default_factory=dict)  # the searched parameters; fixed ones stand in sweep.json
    seed: int = 0
    bracket: int = 0
    objective: float | None = None  # best or last, as the spec's objective.at says
    objective_best: float | None = None
    objective_last: float | None = None
    best_step: int | None = None
    last_step: int | None = None
    rung: int | None = None  # the highest rung it entered
    attempts: int = 0
    failures: int = 0
    preemptions: int = 0
    origin: Origin = Origin.SEARCH
    retry_of: int | None = None  # the trial whose configuration this one tries once more
    started_at: float | None = None
    ended_at: float | None = None
    train_s: float = 0.0
    startup_s: float = 0.0  # seconds from being handed out to its start, over all attempts: its process is made ready
    overhead_s: float = 0.0  # seconds in its slot that were not training: it begins, waits for decisions, ends
    reason: str | None = None  # why it ended, in words
    diagnosis: str | None = None  # what its curves show: a Kind of analysis/diagnosis/verdict.py
    diagnosis_reason: str | None = None  # the same in words, with figures
    failure: Failure | None = None
    node: str | None = None  # its address
    node_id: str | None = None  # Ray's
    gpus: float = 0.0  # GPUs that it occupied, in its newest attempt
    gpu_ids: tuple[str, ...] = ()
