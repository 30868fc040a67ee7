"""Launches a sweep: from a checked spec to finished records. What `sweep launch` and ``orchestrator.run`` share."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from cluster.fit import Need, lacking, slots
from cluster.inventory import Node, this_machine
from cluster.local import embedded
from orchestrator.assemble import assemble, enforced_max
from orchestrator.control.lease import Lease
from orchestrator.errors import InfeasibleError, InterruptedSweepError, SweepError
from orchestrator.fingerprint import fingerprints
from orchestrator.loading import load
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.spec import Spec
from orchestrator.sweep import Sweep
from orchestrator.tune.drive import Nobody, Observer, drive
from orchestrator.tune.job import Job, pack_function
from trainables.contract import Declaration


@dataclass(frozen=True, kw_only=True)
class Source:
    """A checked spec, and where it came from."""

    spec: Spec
    text: str  # as the user wrote it
    base: Path  # the spec's directory: relative paths begin there
    declaration: Declaration | None
    function: Callable[..., Any] | None = None  # the trainable, if it was given from Python
    command: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))

    def trainable(self) -> Callable[..., Any]:
        """The function or class that is trained."""
        return self.function or load(self.spec.trainable, self.base)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What Ray embedded in this process may use; None: all there is."""

    cpus: int | None = None
    gpus: int | None = None

    def node(self) -> Node:
        """The one node there will be."""
        return this_machine(cpus=self.cpus, gpus=self.gpus)


def need_of(spec: Spec, found: Sequence[Node]) -> Need:
    """What one trial occupies; `gpu: auto` is one GPU if any node has one."""
    asked = spec.resources.gpu
    gpus = float(any(node.gpus for node in found)) if asked == "auto" else float(asked)
    return Need(cpus=spec.resources.cpu, gpus=gpus, memory=float(spec.resources.memory or 0))


def free_slots(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials run at once.

    Raises:
        InfeasibleError: Not even one fits.
    """
    need = need_of(spec, found)
    problem = lacking(found, need)
    if problem:
        raise InfeasibleError(f"{problem} (resources in the spec; --cpus and --gpus say what the machine has)")
    return min(slots(found, need), spec.resources.concurrency or sys.maxsize)


def launch(
    source: Source,
    *,
    results: Path,
    machine: Machine,
    observer: Callable[[Sweep, SweepPaths, int], Observer] | None = None,
    ray: AbstractContextManager[None] | None = None,
) -> SweepPaths:
    """Run a sweep to its end.

    Args:
        source: The checked spec.
        results: Where sweeps land; the new one gets a directory of its own there.
        machine: What Ray may use.
        ray: Connects this process to Ray while it is open; None: embedded in this process, with that machine.
        observer: Makes who watches, given the sweep, its files and its slots; None: nobody.

    Returns:
        The sweep's files.

    Raises:
        InfeasibleError: One trial does not fit; nothing was started or written.
        RecordsError: The records cannot be written.
        InterruptedSweepError: A signal ended it; everything up to then is recorded.
        SweepError: Too many trials failed.
    """
    free_slots(source.spec, [machine.node()])
    paths = claim(results, source.spec.name or default_name(source.spec))
    return run_session(
        source, paths, begin=lambda sweep: _describe(source, paths), machine=machine, observer=observer, ray=ray
    )


def run_session(
    source: Source,
    paths: SweepPaths,
    *,
    begin: Callable[[Sweep], object],
    machine: Machine,
    observer: Callable[[Sweep, SweepPaths, int], Observer] | None = None,
    ray: AbstractContextManager[None] | None = None,
) -> SweepPaths:
    """Hold the lease and run a sweep from where it is to its end: what a launch and a resume share.

    Args:
        source: The checked spec.
        paths: The sweep's files.
        begin: Is given the machine before anything is asked of it, once the lease is ours.
        machine, observer, ray: As for ``launch``, which says what is raised, too.
    """
    spec = source.spec
    count = free_slots(spec, [machine.node()])
    signals = _Signals()
    with ExitStack() as stack:
        lease = Lease.acquire(paths.lease)
        stack.callback(lease.release)
        stack.enter_context(signals)
        need = need_of(spec, [machine.node()])
        sweep = assemble(spec, source.declaration, gpus_per_trial=need.gpus)
        begin(sweep)
        recorder = _recorder(spec, paths)
        stack.enter_context(ray or embedded(cpus=machine.cpus, gpus=machine.gpus))

        def halt() -> str | None:
            lease.beat()
            return signals.reason

        drive(
            sweep,
            _job(source, paths, need, count),
            recorder=recorder,
            observer=observer(sweep, paths, count) if observer is not None else Nobody(),
            resources={
                "cpu": need.cpus,
                "gpu": need.gpus,
                **({"memory": need.memory} if need.memory else {}),
            },
            slots=lambda: count,
            reuse=spec.trial.isolation == "reuse",
            halt=halt,
        )
    if signals.reason is not None:
        raise InterruptedSweepError(f"{signals.reason}; everything up to then is recorded in {paths.root}")
    if sweep.failed:
        raise SweepError(f"{sweep.halted}: {_most_common_failure(sweep)}")
    if sweep.best is None:
        raise SweepError(_no_result(sweep))
    return paths


def default_name(spec: Spec) -> str:
    """The sweep's name if the spec has none: the trainable's."""
    where, _, attribute = spec.trainable.partition(":")
    return Path(where).stem if where.endswith(".py") else attribute or where


def _describe(source: Source, paths: SweepPaths) -> None:
    paths.spec.write_text(source.text)
    (paths.root / "logs").mkdir()
    spec = source.spec
    info = collect(
        name=paths.name,
        seed=spec.search.seed,
        trainable=spec.trainable,
        spec=spec.to_plain(),
        command=source.command,
        directory=source.base,
        fingerprints=fingerprints(spec, source.declaration, source.trainable(), source.base),
    )
    write_sweep_json(paths.info, info)


def _recorder(spec: Spec, paths: SweepPaths) -> Recorder:
    kinds = {name: distribution.kind for name, distribution in spec.parameter_space().parameters.items()}
    return Recorder(paths, sweep=paths.name, parameters=kinds, metrics=[spec.objective.metric])


def _job(source: Source, paths: SweepPaths, need: Need, count: int) -> Job:
    spec = source.spec
    return Job(
        trainable=spec.trainable,
        function=None if source.function is None else pack_function(source.function),
        base=str(source.base.resolve()),
        fixed=spec.fixed,
        metric=spec.objective.metric,
        mode=spec.objective.mode,
        diverged_above=spec.objective.diverged_above,
        max_step=enforced_max(spec),
        logs=str((paths.root / "logs").resolve()),
        trials=str((paths.root / "trials").resolve()),
        timeout_s=spec.trial.timeout,
        threads=max(1, int(need.cpus)),
        heartbeat_s=max(1.0, count / 50),
    )


def _most_common_failure(sweep: Sweep) -> str:
    failures = [life.failure for life in sweep.trials if life.failure is not None]
    prints = [failure.fingerprint for failure in failures]
    common = max(failures, key=lambda failure: prints.count(failure.fingerprint))
    return f"{common.type}: {common.message}" + (f" ({common.fingerprint})" if " at " in common.fingerprint else "")


def _no_result(sweep: Sweep) -> str:
    if sweep.halted is not None:
        return f"{sweep.halted} before any trial had a result"
    states = sorted({life.state.value for life in sweep.trials})
    return f"no trial has a result: all {len(sweep.trials)} are {' or '.join(states)}"


class _Signals:
    """SIGINT and SIGTERM: the first asks the sweep to end in order, the second ends it at once."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.reason is not None:
            raise KeyboardInterrupt
        self.reason = f"interrupted by {signal.Signals(number).name}"
