"""Events: everything that the state machine in sweep.py learns about the outside.

Ray Tune's hooks, the simulator and a resume translate what happens into events, and do what the sweep answers. Times
are seconds since the epoch, set by the sender; the state machine has no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.node_health import Node
from orchestrator.core.rows import Config, Failure
from orchestrator.spec import Distribution
from orchestrator.spec.sections import Unit
from orchestrator.spec.trial_resources import AS_ALL, Asked
from trainables.report import Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The answer to ``ask``: start an attempt at this trial."""

    trial: int
    attempt: int
    config: Config
    seed: int
    rungs: tuple[int, ...]  # at the first report at or beyond each of these, the trial waits for a decision
    unit: Unit = "steps"  # of the rungs
    pauses: bool = False  # whether the trial may pause there, so that its state is to be written first
    recorded: int | None = None  # the trial's last step that the driver has received
    trained_s: float = 0.0  # seconds of training by then, over all attempts
    gpus: float | None = None  # of this attempt, over all ranks; None: the sweep's default
    asked: Asked = AS_ALL  # what a rank asks for because of the configuration
    to_beat: float = math.inf  # a loss; if the scheduler stops the trial with a higher one, nobody needs its state


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
    saved: int | None = None  # the step of the trial's state on the disk when it last reached a rung
    node: Node | None = None
    gpu_ids: tuple[str, ...] = ()
    gpu_gb: float | None = None  # 10^9 bytes of memory of the trial's GPU; None: unknown, or no GPU


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggested:
    """A running trial has asked for parameters that its configuration did not name, or not all that it names."""

    trial: int
    at: float
    parameters: Mapping[str, tuple[Any, Distribution]]  # all that the attempt has asked for: values and distributions


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """The trainable returned."""

    trial: int
    at: float
    train_s: float = 0.0  # seconds of training, over all attempts


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The trainable raised, or its process or node died."""

    trial: int
    at: float
    failure: Failure
    train_s: float = 0.0  # seconds of training, over all attempts
    numerical: bool = False  # OverflowError or FloatingPointError: the configuration diverged
    preempted: bool = False  # the node was lost: not the trial's fault, and no retry is used up
    node: Node | None = None
    others: frozenset[str] = frozenset()  # ids of the other nodes on which a trial fits


@dataclass(frozen=True, kw_only=True, slots=True)
class NotStarted:
    """The attempt never began: its worker died while starting."""

    trial: int
    at: float
    failure: Failure
    preempted: bool = False  # as above
    node: Node | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked:
    """Time has passed: time budgets are checked."""

    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Halted:
    """The sweep ends now; running trials are cancelled."""

    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StopAfterNextReport:
    """The sweep ends without losing results: each trial ends at its next report."""

    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialStopRequested:
    """One trial must end at its next report; the others continue."""

    trial: int
    at: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigAdded:
    """A user adds a configuration to those that the search proposes."""

    at: float
    config: Config
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A note about the sweep for its records. Changes nothing else."""

    at: float
    text: str


Event = (
    Started
    | Suggested
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
