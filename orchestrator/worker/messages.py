"""Messages between driver and workers: the settings that every worker gets once, and the updates that workers send."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cluster.ray_private.environment import set_for_ray
from cluster.ray_private.tune_wrappers import unwrapped
from orchestrator.core.node_health import Node
from orchestrator.core.rows import Failure
from orchestrator.errors import TrainableError
from orchestrator.records.paths import log_name
from orchestrator.spec import Objective
from trainables.checkpoints.files import Keep
from trainables.command.program import Program
from trainables.report import Report

Isolated = Literal["fork", "process", "reuse"]
"""As in the spec: see orchestrator.spec.model.TrialPolicy."""

BEATS = 50
"""Heartbeats per second that the driver receives, from all trials together; each costs the driver a millisecond."""


def heartbeat(slots: int) -> float:
    """Seconds that a worker may hold reports back: the more slots, the longer."""
    return max(1.0, slots / BEATS)


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """The settings that all workers of a sweep share."""

    trainable: str | Program  # as the spec names it
    function: bytes | None = None  # that function, cloudpickled
    base: str  # the spec's directory: the working directory of trials, where relative paths start
    code: Mapping[str, bytes] = field(default_factory=dict)  # sources of the user's files, by path: what workers import
    fixed: Mapping[str, Any] = field(default_factory=dict)
    objective: Objective
    max_step: int | None = None
    max_time_s: float | None = None  # of training, over all attempts
    target: float | None = None  # of the objective, at which the sweep ends
    logs: str  # directories
    trials: str
    journals: str
    checkpoints: str = ""  # directory; "": in the directory of each trial
    save_every_s: float = 10.0
    keep: Keep = "best"  # of a trial that completes
    grace_s: float = 0.0  # that a program may take to end when it is told to
    timeout_s: float | None = None  # a trial without a report for longer fails
    ranks: int = 1  # processes of a trial
    threads: int = 1  # torch threads: the CPUs of a rank
    isolation: Isolated = "fork"
    warmed: str = ""  # the address of a warm parent on the driver's machine; "": there is none
    begins_anew: bool = False  # whether an attempt has to name the trial's parameters before any of its reports
    heartbeat_s: float = 1.0  # how long a worker may hold reports back

    def log(self, trial: int, rank: int = 0) -> Path:
        """The log of a trial, or of one of its other ranks."""
        return Path(self.logs) / log_name(trial, rank)

    def journal(self, trial: int) -> Path:
        """The journal of a trial's reports."""
        return Path(self.journals) / f"{trial}.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptEnd:
    """How a trainable ended by itself, without being told to end."""

    failure: Failure | None = None  # None: the trainable returned
    numerical: bool = False
    wordless: bool = False  # whether it ended without an exception, as a process does that is killed
    at: float = field(default_factory=time.time, compare=False)
    node: Node | None = None  # where it failed; None: where the worker is
    node_lost: bool = False  # whether that node is gone

    @property
    def failed(self) -> bool:
        """Whether the trainable raised, and not just for divergence."""
        return self.failure is not None and not self.numerical


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerUpdate:
    """What happened in a worker since its last update."""

    reports: list[Report]
    train_s: float  # seconds of training so far, over all attempts at the trial
    suggested: Mapping[str, tuple[Any, Mapping[str, Any]]] = field(default_factory=dict)  # as of Trial; {}: nothing new
    node: Node
    other_nodes: frozenset[str] = frozenset()  # ids of the nodes of other ranks
    gpu_ids: tuple[str, ...]
    gpu_gb: float | None = None  # 10^9 bytes of memory of the trial's GPU; None: unknown, or no GPU
    saved: int | None = None  # the step of the trial's state on the disk when it last reached a rung
    ended: AttemptEnd | None = None
    silent_s: float = 0.0  # for how long the trial has reported nothing, if that is unusually long for it
    place: str = ""  # where its code is then
    trouble: str = ""  # why no checkpoint can be written at present
    spent: bool = False  # whether the worker is to be discarded, because the trial has failed in it
    once: bool = False  # whether the worker is to be discarded when the attempt has ended, however it ends
    note: str = ""  # what is to be recorded about the sweep, once

    def pack(self) -> bytes:
        """The update as bytes, which Ray Tune passes on unchanged.

        Reports are packed as tuples: pickle finds a class by the name of its module, and a user's project may have a
        module `trainables` of its own.
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
        TrainableError: The function refers to something that cannot be pickled.
    """
    set_for_ray()

    from ray import cloudpickle

    try:
        return bytes(cloudpickle.dumps(unwrapped(function)))
    except Exception as error:  # whatever an object's own pickling raises
        name = getattr(function, "__name__", "the trainable")
        raise TrainableError(
            f"{name} cannot be sent to the workers: {error}. Create what the function refers to inside the function, or"
            " name it in the spec as file.py:function"
        ) from error


def unpack_function(function: bytes) -> Callable[..., Any]:
    """The function that :func:`pack_function` packed. Imports Ray only if the function was packed by its content."""
    set_for_ray()
    unpacked: Callable[..., Any] = pickle.loads(function)
    return unpacked
