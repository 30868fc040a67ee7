"""One running sweep in this process, from the lease to the last record. A launch and a resume share it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType

from cluster.engine import Engine
from cluster.local.home import ensure_home
from orchestrator import steady_clock
from orchestrator.code.files import sources_by_path
from orchestrator.control.lease import Lease, LeaseLostError
from orchestrator.core import events
from orchestrator.core.build import build_sweep, enforced_max
from orchestrator.core.reuse import Trainings
from orchestrator.core.rows import Failure
from orchestrator.core.search import Search
from orchestrator.core.search.earlier import Earlier
from orchestrator.core.sweep import Sweep
from orchestrator.driver.capacity import Capacity
from orchestrator.driver.checkpoint_retention import CheckpointRetention
from orchestrator.driver.code_edits import CodeEdits
from orchestrator.driver.commands import Commands
from orchestrator.driver.found_space import FoundSpace
from orchestrator.driver.gc_tuning import rarely_collected
from orchestrator.driver.journal_retention import JournalRetention
from orchestrator.driver.live_diagnosis import LiveDiagnosis
from orchestrator.driver.loop import DriverLoop
from orchestrator.driver.observer import RAY, CheckpointTrouble, NoObserver, Observer
from orchestrator.driver.proposals import ProposalsAhead
from orchestrator.driver.signals import GRACE_S, Signals
from orchestrator.driver.time_accounting import TimeAccounting
from orchestrator.driver.waiting import Waiting
from orchestrator.driver.warm_up import warmed_up
from orchestrator.errors import InterruptedSweepError, NoResultError, RecordsError, StoppedSweepError, TrialsFailedError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.sites.needs import needs_of
from orchestrator.sites.placement import free_slots
from orchestrator.spec.max_step import max_seconds
from orchestrator.spec.source import Source
from orchestrator.spec.trial_resources import AS_ALL, threads
from orchestrator.tune.run import import_ray_tune, run_ray_tune
from orchestrator.worker.messages import WorkerSettings, heartbeat

LATE_S = 0.05
"""Seconds by which a tick may be late while a slot is free: the slot gets its next trial first."""

IMPORT_S = 60.0
"""Seconds that the import of Ray Tune may take beyond the start of Ray."""

ObserverFactory = Callable[["Session"], Observer]


class Session:
    """Drives one sweep on an engine until the sweep ends.

    Attributes:
        source: The checked spec, and its trainable.
        paths: The sweep's files.
        engine: Where the trials run. It has been reached.
        sweep: The state machine: new, or rebuilt from the records by a resume.
        lease: Held by this process while the session is open.
        signals: Those that stop the sweep, caught while the session is open.
        commands: What other processes ask of this driver.
        capacity: How many trials may run at once, by the engine's nodes.
        recorder: Writes the records.
        found_space: Records the parameters that trials find as they run.
        diagnosis: Adds a verdict on the curves of each ended trial.
        retention: Removes the checkpoints of ended trials.
        journals: Removes the journals of ended trials.
        accounting: Where the time of the slots goes.
        observer: Shows the sweep.
        checkpoint_trouble: Tells the observer when checkpoints cannot be written.
        waiting: Tells the observer what is waited for.
        loop: Ticks while Ray Tune runs.
    """

    def __init__(
        self,
        source: Source,
        paths: SweepPaths,
        engine: Engine,
        *,
        lease: Lease,
        signals: Signals,
        observer: ObserverFactory | None,
        earlier: Sequence[Earlier] = (),
        trainings: Trainings = MappingProxyType({}),
        grace_s: float = GRACE_S,
    ) -> None:
        """Build the sweep; nothing runs yet. Use :meth:`open`."""
        spec = source.spec
        nodes = engine.nodes()
        self._slots = free_slots(spec, nodes)
        self._needs = needs_of(spec, nodes)
        self._make_observer = observer
        self.source = source
        self.paths = paths
        self.engine = engine
        self.lease = lease
        self.signals = signals
        self._proposals: ProposalsAhead | None = None
        self.sweep: Sweep = build_sweep(
            spec,
            source.declaration,
            base=source.base,
            gpus_per_trial=self._needs.gpus,
            ahead=self._ahead,
            earlier=earlier,
            trainings=trainings,
        )
        self.commands = Commands(paths, signals, spec.resources.concurrency, self.sweep.space, grace_s=grace_s)
        self.found_space = FoundSpace(self.sweep.space, paths)
        self.capacity = Capacity(spec, engine, self.sweep)
        code = source.code if source.recorded_code is None else ()
        self._code_edits = CodeEdits(code, program=source.spec.program is not None)
        self.diagnosis = LiveDiagnosis(spec.objective, source.declaration.curves if source.declaration else ())
        self.retention = CheckpointRetention(self.sweep, paths, spec.keep)
        self.journals = JournalRetention(self.sweep, paths)
        self.loop = DriverLoop(self)

    @classmethod
    @contextmanager
    def open(
        cls,
        source: Source,
        paths: SweepPaths,
        engine: Engine,
        observer: ObserverFactory | None = None,
        *,
        earlier: Sequence[Earlier] = (),
        trainings: Trainings = MappingProxyType({}),
        grace_s: float = GRACE_S,
        told: Callable[[str], object] = lambda sentence: None,
    ) -> Iterator[Session]:
        """Take the lease, catch signals, and build the sweep.

        Args:
            source: The checked spec.
            paths: The sweep's files.
            engine: An engine that has been reached.
            observer: Creates the observer of the session; None: no observer.
            earlier: Trials of earlier sweeps, for the search to learn from.
            trainings: Trainings of earlier sweeps, to be taken over.
            grace_s: How long a signal to stop waits for the next reports of running trials, in seconds.
            told: Called with a sentence that says what is being waited for.

        Raises:
            UserError: One trial fits on no node, or another driver holds the lease.
        """
        free_slots(source.spec, engine.nodes())
        steady_clock.now.begin()
        with Lease.acquire(paths.lease, waiting=told) as lease, Signals() as signals:
            yield cls(
                source,
                paths,
                engine,
                lease=lease,
                signals=signals,
                observer=observer,
                earlier=earlier,
                trainings=trainings,
                grace_s=grace_s,
            )

    def run(self) -> None:
        """Run the sweep until it ends or is asked to stop. On return, everything that happened is recorded.

        Raises:
            LeaseLostError: Another driver has taken the sweep over.
            RecordsError: The sweep was asked to end, and its last records cannot be written.
        """
        if self.sweep.trials:
            self.diagnosis.restore(self.paths, self.sweep.trials)
        self.accounting = TimeAccounting(self.sweep, self.slots, time.monotonic)
        self.recorder = _recorder(self.source, self.paths)
        self.observer: Observer = NoObserver() if self._make_observer is None else self._make_observer(self)
        self.checkpoint_trouble = CheckpointTrouble(self.observer)
        self.waiting = Waiting(self.sweep, self.observer)
        ensure_home()
        importing = import_ray_tune()
        with ExitStack() as stack:
            settings = stack.enter_context(warmed_up(self._worker_settings(), self.engine))
            stack.enter_context(self.engine.running(self._ray_has_ended))
            importing.join(IMPORT_S)  # two threads that import the same modules were seen to block each other for good
            stack.enter_context(self.capacity.followed())
            if self._proposals is not None:
                stack.callback(self._proposals.close)
            self.signals.catch_again()
            self.accounting.ray_started()
            self._drive(settings)
            with suppress(OSError):  # a checkpoint that cannot be removed stays for `sweep clean`
                self.retention.finish()
            with suppress(OSError):
                self.journals.finish()
            self._record_account()

    def result(self) -> SweepPaths:
        """The sweep's files, once the session is closed.

        Raises:
            InterruptedSweepError: SIGINT ended the sweep.
            StoppedSweepError: Another signal ended it before a trial had begun.
            TrialsFailedError: Too many trials failed.
            NoResultError: No trial has a result.
        """
        if self.signals.interrupted:
            raise InterruptedSweepError(f"{self.signals.reason}; recorded results are kept in {self.paths.root}")
        if self.signals.reason is not None and not any(trial.attempts for trial in self.sweep.trials):
            raise StoppedSweepError(f"{self.signals.reason} before a trial had begun; continue with: sweep resume")
        if self.commands.asked_to_end:
            return self.paths
        if self.sweep.failed:
            raise TrialsFailedError(f"{self.sweep.halted}: {_most_common_failure(self.sweep)}")
        if self.sweep.best is None:
            raise NoResultError(_no_result(self.sweep))
        return self.paths

    # What the loop and Ray Tune's hooks ask for -----------------------------------------------------------------

    def slots(self) -> int:
        """How many trials may run at once, now."""
        return min(self.capacity.slots(), self.commands.concurrency or sys.maxsize)

    def tick(self) -> float:
        """Do what is due; returns the time. While a slot is free, its next trial is more urgent than the records."""
        waiting = self.sweep.live < self.slots() and not self.sweep.exhausted
        return self.loop.tick(LATE_S if waiting else 0.0)

    def poll(self, at: float) -> list[events.Event]:
        """What signals and other processes ask of the sweep, and what is to be noted of its code."""
        self.accounting.sample()
        self.waiting.look(at)
        self.capacity.tell(self.observer.trouble)
        return [*self.commands.poll(at), *self._code_edits.poll(at)]

    def _ahead(self, search: Search, trials: int | None) -> Search:
        self._proposals = ProposalsAhead(search, trials=trials, live=lambda: self.sweep.live)
        return self._proposals

    # How a session ends -----------------------------------------------------------------------------------------

    def _drive(self, settings: WorkerSettings) -> None:
        try:
            with rarely_collected():
                run_ray_tune(
                    self,
                    settings,
                    needs=self._needs,
                    pack=self.source.spec.resources.placement == "pack",
                    reuse=self.source.spec.trial.isolation != "process",
                )
        except LeaseLostError:
            raise  # the records belong to another driver
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            self.sweep.on(events.Halted(at=steady_clock.now(), reason=reason))
            try:
                self.loop.write_what_can_be_written()
            except RecordsError:
                if not isinstance(error, RecordsError):
                    raise
            raise
        if not self.sweep.finished:
            self.sweep.on(events.Halted(at=steady_clock.now(), reason="Ray Tune's run ended before the sweep"))
        self.loop.finish()

    def _ray_has_ended(self, why: str) -> None:
        """Record what can be recorded. Called by the thread that watches Ray; the process ends afterwards."""
        self.sweep.on(events.Halted(at=steady_clock.now(), reason=why))
        with suppress(RecordsError):
            DriverLoop(self).write_what_can_be_written()
        self.lease.release()
        self.observer.trouble(RAY, f"{why}; recorded results are kept, and `sweep resume` continues the sweep")

    def _record_account(self) -> None:
        """Record the last event of the session. A disk that refuses it does not make the sweep a failure."""
        account = self.accounting.close(self.recorder.seconds)
        self.recorder.events([account.row(steady_clock.now())])
        with suppress(RecordsError):
            self.recorder.flush()

    def _worker_settings(self) -> WorkerSettings:
        spec, root = self.source.spec, self.paths.root.resolve()
        return WorkerSettings(
            trainable=spec.trained,
            function=self.source.packed,
            base=str(self.source.base.resolve()),
            code=sources_by_path(self.source.code),
            fixed=spec.fixed,
            objective=spec.objective,
            max_step=enforced_max(spec),
            max_time_s=max_seconds(spec),
            target=spec.budget.target,
            logs=str(root / "logs"),
            trials=str(root / "trials"),
            journals=str(root / "journals"),
            checkpoints=str(root / "checkpoints"),
            save_every_s=spec.trial.save_every,
            keep=spec.keep.checkpoints,
            grace_s=spec.grace_s,
            timeout_s=spec.trial.timeout,
            ranks=spec.resources.workers,
            threads=threads(spec, AS_ALL),
            isolation=spec.trial.isolation,
            begins_anew=self.source.declaration is not None and self.source.declaration.define_by_run,
            heartbeat_s=heartbeat(self._slots),
        )


def _recorder(source: Source, paths: SweepPaths) -> Recorder:
    spec = source.spec
    name = read_sweep_json(paths.info).name  # as it was at the launch, whatever its directory is called by now
    return Recorder(paths, sweep=name, parameters=spec.parameter_space().kinds, metrics=[spec.objective.metric])


def _most_common_failure(sweep: Sweep) -> str:
    failures: list[Failure] = [trial.failure for trial in sweep.trials if trial.failure is not None]
    prints = [failure.fingerprint for failure in failures]
    common = max(failures, key=lambda failure: prints.count(failure.fingerprint))
    place = f" ({common.fingerprint})" if " at " in common.fingerprint else ""
    return f"{common.type}: {' '.join(common.message.split())}{place}"


def _no_result(sweep: Sweep) -> str:
    if sweep.halted is not None:
        return f"{sweep.halted} before any trial had a result"
    states = " or ".join(sorted({trial.state.value for trial in sweep.trials}))
    return f"all {len(sweep.trials)} trials {states}; see: sweep show --failures"
