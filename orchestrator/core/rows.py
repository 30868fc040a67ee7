"""The states of a trial, and the rows that are recorded: one dataclass per table.

The core makes the rows, records/ writes them, analysis/ reads them. Times are seconds since the epoch (UTC) as
floats; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.space.values import Config as Config

EVALUATION = "evaluation"
"""The event of a winner's test scores, which are measured after the sweep and do not count as its running time."""

NODE = "node"
"""The event of a node that is set aside."""

ACCOUNT = "account"
"""The event at a session's end that says where its time went."""

SUGGESTED = "suggested"
"""The event of a trial that has asked for parameters as it ran; its detail has the configuration by then."""

PROMOTED = "promoted"
"""The event of a paused trial that continues."""

GPU_OUT_OF_MEMORY = "GpuOutOfMemory"
"""The type of a failure by lack of GPU memory, whichever library raised it."""

OUT_OF_MEMORY = "out of memory"
"""The decision recorded with the retry, on a larger share of a GPU, of a trial that ran out of GPU memory."""

HALTED = "halted"
"""The decision recorded with a trial that was cancelled because the sweep ended; a resume continues the trial."""

FINISHED = "the trainable finished"
"""The reason recorded with a trial that completed by itself, before a limit ended it."""

PACKING = "packing"
"""The event of a choice of how many trials share a GPU."""

GPU_MEMORY = "gpu_memory_gb"
"""A metric added to a trial's own: the peak of the GPU memory it has held so far, in 10^9 bytes."""

GPU_UTILISATION = "gpu_utilisation"
"""A metric added to a trial's own: the fraction of recent time that its GPU was busy, 0 to 1."""


class State(StrEnum):
    """The state of a trial.

    ``paused``: waits at a rung, without a slot, for the scheduler to promote it. ``stopped``: ended early by the
    scheduler. ``diverged``: the objective, or the arithmetic, left its bounds.
    ``failed``: an error.
    """

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the trial has ended: only a resume can run it again."""
        return self not in (State.PENDING, State.RUNNING, State.PAUSED)

    @property
    def settled(self) -> bool:
        """Whether the trial's result stands: the trial can neither become worse nor diverge."""
        return self in (State.COMPLETED, State.STOPPED)


ENDS = frozenset(state.value for state in State if state.ended)
"""The events that end a trial."""

ATTEMPT_ENDS = ENDS | {"retry", State.PAUSED.value}
"""The events that end an attempt of a trial."""


class Origin(StrEnum):
    """Where a trial's configuration comes from."""

    START = "start"  # the spec's search.start
    SEARCH = "search"
    ADDED = "added"  # `sweep add`, while the sweep ran
    RETRY = "retry"  # a resume that retries ended trials
    REUSED = "reused"  # as START or SEARCH, and an earlier sweep has trained it: `sweep launch --reuse`


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRow:
    """One report: what a trial measured at a step."""

    trial: int
    attempt: int  # from 1
    step: int
    train_s: float  # seconds of training since the trial's first start, over all attempts
    reported_at: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """One change of state, or one decision of the scheduler with the cutoff it compared against."""

    at: float
    event: str  # a state's name for a change of state; else "rung", "retry", "sweep", "note" or one of those above
    trial: int | None = None  # None: an event of the whole sweep
    attempt: int | None = None
    step: int | None = None
    rung: int | None = None  # its step, or with scheduler.unit seconds, its seconds
    value: float | None = None  # the objective that was compared, or passed to the search
    cutoff: float | None = None  # what the value was compared against
    decision: str | None = None  # "continue", "pause" or "stop"
    reason: str | None = None  # a sentence for people
    detail: Mapping[str, Any] | None = None  # JSON: configuration and origin at "pending", train_s at "rung" and ends


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What went wrong in a trial."""

    type: str  # the exception's class, or "GpuOutOfMemory", "WorkerDied", "MetricNeverReported", "Timeout"
    message: str
    traceback: str = ""
    fingerprint: str = ""  # the same for failures of the same cause


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRow:
    """One row of the trials table: the trial's current state."""

    trial: int
    state: State
    config: Config = field(default_factory=dict)  # searched and derived values; fixed ones are in sweep.json
    seed: int = 0
    bracket: int = 0
    objective: float | None = None  # best or last, as the spec's objective.at says
    objective_best: float | None = None
    objective_last: float | None = None
    best_step: int | None = None
    last_step: int | None = None
    rung: int | None = None  # the highest rung it entered, likewise
    attempts: int = 0
    failures: int = 0
    preemptions: int = 0
    origin: Origin = Origin.SEARCH
    retry_of: int | None = None  # the trial that this one retries
    started_at: float | None = None
    ended_at: float | None = None
    train_s: float = 0.0
    startup_s: float = 0.0  # seconds from hand-out to start, over all attempts: its process is made ready
    overhead_s: float = 0.0  # seconds in its slot without training: beginning, waiting for decisions, ending
    reason: str | None = None  # why the trial ended, in words
    diagnosis: str | None = None  # what its curves show: a Kind of analysis/diagnosis/verdict.py
    diagnosis_reason: str | None = None  # the same in words, with figures
    failure: Failure | None = None
    node: str | None = None  # address of its node
    node_id: str | None = None  # Ray's id of its node
    gpus: float = 0.0  # GPUs that the newest attempt occupied
    gpu_ids: tuple[str, ...] = ()
