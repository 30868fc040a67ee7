"""What crosses the border: the job every worker is told once, and the batches that workers send back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.core.node_health import Node
from orchestrator.core.rows import Failure
from orchestrator.errors import TrainableError
from orchestrator.spec import Objective
from trainables.checkpoints.files import Keep
from trainables.report import Report

BEATS = 50
"""Heartbeats that the driver hears a second, of all trials together; each costs it a millisecond."""


def heartbeat(slots: int) -> float:
    """How long a worker may keep what was reported, in seconds: longer if there are many."""
    return max(1.0, slots / BEATS)


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What all workers of one sweep have in common."""

    trainable: str  # the spec's reference; "" if a function was given from Python
    function: bytes | None = None  # that function, cloudpickled
    base: str  # the spec's directory: where trials run, and where relative paths begin
    fixed: Mapping[str, Any] = field(default_factory=dict)
    objective: Objective
    max_step: int | None = None
    logs: str  # directories
    trials: str
    checkpoints: str = ""  # directory; "": in each trial's own
    save_every_s: float = 10.0
    keep: Keep = "best"  # of a trial that completes
    timeout_s: float | None = None  # a trial silent for longer is ended as failed
    threads: int = 1  # torch threads: the CPUs of a trial
    heartbeat_s: float = 1.0  # how long a worker may keep what was reported


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptEnd:
    """How the trainable ended, if it did so by itself."""

    failure: Failure | None = None  # None: it returned
    numerical: bool = False

    @property
    def spoils_process(self) -> bool:
        """Whether the process is not to be trusted with another trial: this one raised, and did not only diverge."""
        return self.failure is not None and not self.numerical


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerUpdate:
    """What a worker has to say since it was last asked."""

    reports: list[Report]
    train_s: float  # seconds of training so far, over all attempts at the trial
    node: Node
    gpu_ids: tuple[str, ...]
    gpu_gb: float | None = None  # 10^9 bytes of memory of its GPU; None: it uses none, or none that can be measured
    ended: AttemptEnd | None = None
    trouble: str = ""  # why no checkpoint can be written at present

    def pack(self) -> bytes:
        """The update as bytes, which Ray Tune passes on untouched.

        Reports go as tuples: pickle finds a class by the name of its module, and a user's project may have a module
        `trainables` of its own.
        """
        reports = [(report.step, report.metrics, report.reported_at, report.train_s) for report in self.reports]
        return pickle.dumps((reports, replace(self, reports=[])), protocol=5)

    @staticmethod
    def unpack(data: bytes) -> WorkerUpdate:
        """The update that was packed."""
        reports, update = pickle.loads(data)
        assert isinstance(update, WorkerUpdate)
        return replace(update, reports=[_report(*each) for each in reports])


def _report(step: int, metrics: Mapping[str, float], reported_at: float, train_s: float) -> Report:
    return Report(step=step, metrics=metrics, reported_at=reported_at, train_s=train_s)


def pack_function(function: Callable[..., Any]) -> bytes:
    """A function given from Python, closures included, as bytes for the workers.

    Raises:
        TrainableError: It holds on to something that cannot be sent to another process.
    """
    from ray import cloudpickle

    try:
        return bytes(cloudpickle.dumps(function))
    except Exception as error:  # whatever an object's own pickling raises
        name = getattr(function, "__name__", "the trainable")
        raise TrainableError(
            f"{name} cannot be sent to the workers: {error}. Make what it holds on to inside of it, or name it in the"
            " spec as file.py:function"
        ) from error
