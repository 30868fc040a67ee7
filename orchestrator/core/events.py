"""What happens to a sweep, as values: all that the state machine in sweep.py is ever told.

Ray Tune's hooks, the simulator and a resume translate their world into these, and do what is answered. Times are
seconds since the epoch, given by whoever tells; the machine has no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.node_health import Node
from orchestrator.core.rows import Config, Failure
from trainables.report import Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The answer to ``ask``: begin an attempt at this trial."""

    trial: int
    attempt: int
    config: Config
    seed: int
    rungs: tuple[int, ...]  # steps at which the trial must wait for a decision
    recorded: int | None = None  # the last step that the driver knows of it
    trained_s: float = 0.0  # seconds of training that it knows of, over all attempts
    gpus: float | None = None  # of this attempt; None: as many as the sweep says


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The attempt began."""

    trial: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """Reports of a running trial, in order, and where it runs."""

    trial: int
    at: float
    reports: Sequence[Report]
    node: Node | None = None
    gpu_ids: tuple[str, ...] = ()
    gpu_gb: float | None = None  # 10^9 bytes of memory of its GPU; None: it uses none, or none that can be measured


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """The trainable came to its own end."""

    trial: int
    at: float
    train_s: float = 0.0  # seconds of training, over all attempts


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The trainable raised; or its process or node died under it."""

    trial: int
    at: float
    failure: Failure
    train_s: float = 0.0  # seconds of training, over all attempts
    numerical: bool = False  # OverflowError or FloatingPointError: the configuration diverged
    preempted: bool = False  # the node went away: not the trial's fault, no retry is used up
    node: Node | None = None
    others: frozenset[str] = frozenset()  # ids of the other nodes on which a trial fits


@dataclass(frozen=True, kw_only=True, slots=True)
class NotStarted:
    """The attempt never began: its worker died while it was being prepared."""

    trial: int
    at: float
    failure: Failure
    preempted: bool = False  # as above
    node: Node | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked:
    """Time has passed: budgets of time are checked."""

    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Halted:
    """The sweep ends now; what runs is cancelled."""

    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StopAfterNextReport:
    """The sweep ends as soon as it can without losing anything: each trial at its next report."""

    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialStopRequested:
    """One trial is to end at its next report; the others go on."""

    trial: int
    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigAdded:
    """Somebody wants this configuration of the space tried, beside what the search proposes."""

    at: float
    config: Config
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """Something about the whole sweep that is to stand in its records, and changes nothing else."""

    at: float
    text: str


Event = (
    Started
    | Reported
    | Finished
    | Failed
    | NotStarted
    | Ticked
    | Halted
    | StopAfterNextReport
    | TrialStopRequested
    | ConfigAdded
    | Noted
)
