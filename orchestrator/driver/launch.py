"""Launches a sweep: from a checked spec to finished records. What `sweep launch` and ``orchestrator.run`` share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from cluster.engine import Engine
from cluster.fit import Need
from orchestrator.control.lease import Lease
from orchestrator.core import events
from orchestrator.core.build import build_sweep, enforced_max
from orchestrator.core.sweep import Sweep
from orchestrator.core.time_account import TimeAccount, TimeAccounting
from orchestrator.driver.capacity import Capacity
from orchestrator.driver.checkpoint_retention import CheckpointRetention
from orchestrator.driver.commands import Commands
from orchestrator.driver.live_diagnosis import LiveDiagnosis
from orchestrator.driver.loop import RAY, DriverLoop, NoObserver, Observer
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.signals import Signals
from orchestrator.driver.wait_for_node import wait_for_room
from orchestrator.errors import InterruptedSweepError, NoResultError, RecordsError, TrialsFailedError
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.sites.code_origin import with_code_origin
from orchestrator.sites.placement import free_slots, need_of, reached
from orchestrator.spec import Spec
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.source import Source
from orchestrator.tune.run import drive, import_ahead
from orchestrator.worker.messages import WorkerSettings, heartbeat


def launch(
    source: Source,
    *,
    results: Path,
    engine: Engine,
    observer: Callable[[Sweep, SweepPaths, Callable[[], int]], Observer] | None = None,
    wait: Callable[[str], object] | None = None,
) -> SweepPaths:
    """Run a sweep to its end.

    Args:
        source: The checked spec.
        results: Where sweeps land; the new one gets a directory of its own there.
        engine: Where the trials run.
        observer: Makes who watches, given the sweep, its files and its slots; None: nobody.
        wait: If no trial fits, wait until one does, and tell this what for; None: that is an error.

    Returns:
        The sweep's files.

    Raises:
        UserError: The engine cannot be reached, or one trial fits on none of its nodes; nothing was written.
        RecordsError: The records cannot be written.
        InterruptedSweepError: A signal ended it; everything up to then is recorded.
        SweepError: Too many trials failed.
    """
    with reached(engine):
        check_trainable(source)
        if wait is not None:
            wait_for_room(engine, source.spec, wait)
        nodes = engine.nodes()
        free_slots(source.spec, nodes)
        check_nodes(engine, nodes, need_of(source.spec, nodes), results)
        paths = claim(results, source.name)
        return run_session(
            source, paths, begin=lambda sweep: describe(source, paths, engine.name), engine=engine, observer=observer
        )


def run_session(
    source: Source,
    paths: SweepPaths,
    *,
    begin: Callable[[Sweep], object],
    engine: Engine,
    observer: Callable[[Sweep, SweepPaths, Callable[[], int]], Observer] | None = None,
) -> SweepPaths:
    """Hold the lease and run a sweep from where it is to its end: what a launch and a resume share.

    Args:
        source: The checked spec.
        paths: The sweep's files.
        begin: Is given the machine before anything is asked of it, once the lease is ours.
        engine: It has been reached.
        observer: As for ``launch``, which says what is raised, too.
    """
    spec = source.spec
    nodes = engine.nodes()
    count = free_slots(spec, nodes)
    signals = Signals()
    with ExitStack() as stack:
        lease = stack.enter_context(Lease.acquire(paths.lease))
        stack.enter_context(signals)
        need = need_of(spec, nodes)
        sweep = build_sweep(spec, source.declaration, gpus_per_trial=need.gpus)
        begin(sweep)
        examiner = LiveDiagnosis(spec.objective, source.declaration.curves if source.declaration is not None else ())
        if sweep.trials:
            examiner.recall(paths, sweep.trials)
        outside = Commands(paths, signals, spec.resources.concurrency)

        room = Capacity(spec, engine, sweep)

        def slots() -> int:
            return min(room.slots(), outside.concurrency or sys.maxsize)

        book = TimeAccounting(sweep, slots, time.monotonic)

        def poll(at: float) -> list[events.Event]:
            book.look()
            room.tell(shown.trouble)
            return outside.poll(at)

        def last_words(why: str) -> None:
            sweep.on(events.Halted(at=time.time(), reason=why))
            loop = DriverLoop(
                sweep,
                recorder,
                shown,
                poll=lambda at: (),
                lease=lease.beat,
                ended=keeper.ended,
                examine=examiner.examine,
            )
            with suppress(RecordsError):
                loop.last_try()
            lease.release()
            shown.trouble(RAY, f"{why}; everything up to then is recorded, and sweep resume goes on")

        recorder = _recorder(spec, paths)
        keeper = CheckpointRetention(sweep, paths, spec.trial.keep)
        shown = observer(sweep, paths, slots) if observer is not None else NoObserver()
        import_ahead()
        stack.enter_context(engine.running(last_words))
        stack.enter_context(room.followed())
        signals.again()
        book.ray_started()

        drive(
            sweep,
            _job(source, paths, need, count),
            recorder=recorder,
            observer=shown,
            need=need,
            pack=spec.resources.placement == "pack",
            slots=slots,
            reuse=spec.trial.isolation == "reuse",
            poll=poll,
            lease=lease.beat,
            ended=keeper.ended,
            examine=examiner.examine,
        )
        with suppress(OSError):  # it stays for `sweep clean`
            keeper.finish()
        _record(book.close(recorder.seconds), recorder)
    if signals.interrupted:
        raise InterruptedSweepError(f"{signals.reason}; everything up to then is recorded in {paths.root}")
    if outside.asked_to_end:
        return paths
    if sweep.failed:
        raise TrialsFailedError(f"{sweep.halted}: {_most_common_failure(sweep)}")
    if sweep.best is None:
        raise NoResultError(_no_result(sweep))
    return paths


def _record(account: TimeAccount, recorder: Recorder) -> None:
    """The last event of a session. A disk that has just refused it does not make the sweep a failure."""
    recorder.events([account.row(time.time())])
    with suppress(RecordsError):
        recorder.flush()


def describe(source: Source, paths: SweepPaths, engine: str) -> None:
    """Write down what the sweep is and where it runs, so that a resume can begin it, too.

    Args:
        source: The checked spec.
        paths: The directory claimed for it.
        engine: As behind ``--on``.
    """
    paths.spec.write_bytes(source.text)
    (paths.root / "logs").mkdir()
    spec = source.spec
    info = collect(
        name=paths.name,
        seed=spec.search.seed,
        trainable=spec.trainable,
        engine=engine,
        spec=spec.to_plain(),
        curves=source.declaration.curves if source.declaration is not None else (),
        command=source.command,
        directory=source.base,
        fingerprints=fingerprints(spec, source.declaration, source.trainable(), source.base),
    )
    write_sweep_json(paths.info, with_code_origin(info))


def _recorder(spec: Spec, paths: SweepPaths) -> Recorder:
    kinds = {name: distribution.kind for name, distribution in spec.parameter_space().parameters.items()}
    return Recorder(paths, sweep=paths.name, parameters=kinds, metrics=[spec.objective.metric])


def _job(source: Source, paths: SweepPaths, need: Need, count: int) -> WorkerSettings:
    spec = source.spec
    return WorkerSettings(
        trainable=spec.trainable,
        function=source.packed,
        base=str(source.base.resolve()),
        fixed=spec.fixed,
        objective=spec.objective,
        max_step=enforced_max(spec),
        logs=str((paths.root / "logs").resolve()),
        trials=str((paths.root / "trials").resolve()),
        checkpoints=str((paths.root / "checkpoints").resolve()),
        save_every_s=spec.trial.save_every,
        keep=spec.trial.keep,
        timeout_s=spec.trial.timeout,
        threads=max(1, int(need.cpus)),
        heartbeat_s=heartbeat(count),
    )


def _most_common_failure(sweep: Sweep) -> str:
    failures = [trial.failure for trial in sweep.trials if trial.failure is not None]
    prints = [failure.fingerprint for failure in failures]
    common = max(failures, key=lambda failure: prints.count(failure.fingerprint))
    place = f" ({common.fingerprint})" if " at " in common.fingerprint else ""
    return f"{common.type}: {' '.join(common.message.split())}{place}"


def _no_result(sweep: Sweep) -> str:
    if sweep.halted is not None:
        return f"{sweep.halted} before any trial had a result"
    states = sorted({trial.state.value for trial in sweep.trials})
    return f"no trial has a result: all {len(sweep.trials)} are {' or '.join(states)}"
