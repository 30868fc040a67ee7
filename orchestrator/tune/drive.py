"""Drives one sweep through Ray Tune, from the first ask to the last record."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from orchestrator import events
from orchestrator.records.recorder import Recorder
from orchestrator.rows import TrialRow
from orchestrator.sweep import Sweep
from orchestrator.tune.job import Job

TICK_S = 0.1  # how often records, budgets and the observer get a look, at most

SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no JSON, CSV and TensorBoard file a trial
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Ray's own experiment state is never read
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints boxes even when it is silent
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # signals are handled in control/signals.py
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000000",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the Asker hands out no more than the slots hold
}
"""Ray Tune reads these at the start of a run; docs/ray.md says what each is for."""


Poll = Callable[[float], Iterable[events.Event]]
"""What came from outside since the last call: signals, requests of other terminals. Given the time."""


class Observer(Protocol):
    """Who watches a sweep while it runs: a terminal, or nobody."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Called some ten times a second."""
        ...


class Nobody:
    """Does not watch."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Sees nothing."""


class _Heart:
    """What happens again and again: budgets are checked, records written, the observer shown the sweep."""

    def __init__(
        self,
        sweep: Sweep,
        recorder: Recorder,
        observer: Observer,
        poll: Poll,
        ended: Callable[[TrialRow], object],
    ) -> None:
        self._sweep = sweep
        self._recorder = recorder
        self._observer = observer
        self._poll = poll
        self._ended = ended
        self._next = 0.0

    def beat(self) -> float:
        """Beat if it is time to; returns the time."""
        now = time.time()
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TICK_S
            for event in (*self._poll(now), events.Ticked(at=now)):
                self._sweep.on(event)
            self.record(now)
            self._recorder.tick()
            self._observer.show(self._sweep, now)
        return now

    def record(self, now: float) -> None:
        rows = self._sweep.take(now)
        self._recorder.metrics(rows.metrics)
        self._recorder.events(rows.events)
        for row in rows.trials:
            self._recorder.trial(row)
            if row.state.ended:
                self._ended(row)


def drive(
    sweep: Sweep,
    job: Job,
    *,
    recorder: Recorder,
    observer: Observer,
    resources: dict[str, float],
    slots: Callable[[], int],
    reuse: bool,
    poll: Poll,
    ended: Callable[[TrialRow], object],
) -> None:
    """Run the sweep to its end on the Ray cluster this process is connected to.

    Args:
        sweep: The state machine; afterwards it is finished or halted, and all it had to say is recorded.
        job: What the workers are told.
        recorder: Takes the rows; it is flushed, not closed.
        observer: Is shown the sweep.
        resources: Of one trial, as Ray names them: {"cpu": 1, "gpu": 0.5, ...}.
        slots: How many trials may run at once, now.
        reuse: Whether a process serves trial after trial.
        ended: Is given the row of each trial that has ended.
        poll: Called some ten times a second; what it returns has happened to the sweep.
    """
    for name, value in SETTINGS.items():
        os.environ[name] = value

    from ray import tune
    from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner

    from orchestrator.tune.hooks import Asker, Decider, Halt, Watcher
    from orchestrator.tune.worker import Worker

    heart = _Heart(sweep, recorder, observer, poll, ended)
    decider = Decider(sweep, time.time, Path(job.logs))
    try:
        with tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as scratch:
            Tuner(
                tune.with_resources(tune.with_parameters(Worker, job=job), resources),
                tune_config=TuneConfig(
                    search_alg=Asker(sweep, slots, heart.beat),
                    scheduler=decider,
                    num_samples=-1,
                    reuse_actors=reuse,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                    trial_name_creator=lambda trial: trial.trial_id,
                ),
                run_config=RunConfig(
                    name="tune",
                    storage_path=scratch,
                    stop=Halt(sweep),
                    callbacks=[Watcher(decider, heart.beat)],
                    failure_config=FailureConfig(max_failures=-1),
                    checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
                    verbose=0,
                ),
            ).fit()
    except BaseException as error:
        sweep.on(events.Halted(at=time.time(), reason=f"{type(error).__name__}: {error}".rstrip(": ")))
        raise
    finally:
        now = time.time()
        if not sweep.finished:
            sweep.on(events.Halted(at=now, reason="Ray Tune's run ended before the sweep"))
        heart.record(now)
        recorder.flush()
        observer.show(sweep, now)
