"""Drives one sweep through Ray Tune, from the first ask to the last record."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cluster.fit import Need
from orchestrator.control.lease import LeaseLostError
from orchestrator.core import events
from orchestrator.core.journal import Rows
from orchestrator.core.rows import TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.driver.gc_tuning import rarely_sought
from orchestrator.driver.loop import CheckpointTrouble, DriverLoop, Observer, Poll
from orchestrator.errors import RecordsError
from orchestrator.records.recorder import Recorder
from orchestrator.worker.messages import WorkerSettings

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

LATE_S = 0.05
"""How much later the heart may beat while a slot is free."""


def import_ahead() -> None:
    """Begin to import Ray Tune, in a thread: a second of the time for which Ray starts, and lets this process wait."""

    def load() -> None:
        with suppress(Exception):  # whoever needs it will find out
            import ray.tune  # noqa: F401

    threading.Thread(target=load, name="imports Ray Tune", daemon=True).start()


def drive(
    sweep: Sweep,
    job: WorkerSettings,
    *,
    recorder: Recorder,
    observer: Observer,
    need: Need,
    pack: bool,
    slots: Callable[[], int],
    reuse: bool,
    poll: Poll,
    lease: Callable[[], None],
    ended: Callable[[TrialRow], object],
    examine: Callable[[Rows], Rows],
) -> None:
    """Run the sweep to its end on the Ray cluster this process is connected to.

    Args:
        sweep: The state machine; afterwards it is finished or halted, and all it had to say is recorded.
        job: What the workers are told.
        recorder: Takes the rows; it is flushed, not closed.
        observer: Is shown the sweep.
        need: What one trial occupies, unless the machine gives it another share of a GPU.
        pack: Fill one node after the other, instead of spreading the trials.
        slots: How many trials may run at once, now.
        reuse: Whether a process serves trial after trial.
        ended: Is given the row of each trial that has ended.
        examine: Completes the rows that are to be recorded.
        poll: Called some ten times a second; what it returns has happened to the sweep.
        lease: Likewise; shows that this driver lives.

    Raises:
        LeaseLostError: Another driver has taken the sweep over.
        RecordsError: The sweep was asked to end, and what there is to record cannot be.
    """
    os.environ.update(SETTINGS)

    from ray import tune
    from ray.tune import CheckpointConfig, RunConfig, TuneConfig, Tuner

    from cluster.ray_private.memory_kills import outliving_kills
    from cluster.ray_private.tune_trial import TrialGenerator
    from orchestrator.tune.hooks import SweepCallback, SweepScheduler, SweepSearcher, SweepStopper
    from orchestrator.tune.node_lookup import NodeLookup
    from orchestrator.tune.placement_groups import Placement
    from orchestrator.tune.uncounted import uncounted
    from orchestrator.worker.actor import Worker

    loop = DriverLoop(sweep, recorder, observer, poll=poll, lease=lease, ended=ended, examine=examine)

    def tick() -> float:
        """A slot that is free gets its next trial first, and then the records are written."""
        return loop.beat(LATE_S if sweep.live < slots() and not sweep.exhausted else 0.0)

    node_lookup = NodeLookup(sweep, need)
    placement = Placement(need, avoided=node_lookup.avoided, pack=pack)
    decider = SweepScheduler(sweep, time.time, Path(job.logs), job.timeout_s, CheckpointTrouble(observer), node_lookup)
    try:
        with (
            outliving_kills(),
            rarely_sought(),
            uncounted(),
            tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as scratch,
        ):
            Tuner(
                tune.with_parameters(Worker, job=job),
                tune_config=TuneConfig(
                    search_alg=TrialGenerator(SweepSearcher(sweep, slots, tick), placement),
                    scheduler=decider,
                    num_samples=-1,
                    reuse_actors=reuse,
                ),
                run_config=RunConfig(
                    name="tune",
                    storage_path=scratch,
                    stop=SweepStopper(sweep),
                    callbacks=[SweepCallback(decider, tick)],
                    checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
                    verbose=0,
                ),
            ).fit()
    except LeaseLostError:
        raise  # the records are another driver's
    except BaseException as error:
        sweep.on(events.Halted(at=time.time(), reason=f"{type(error).__name__}: {error}".rstrip(": ")))
        try:
            loop.last_try()
        except RecordsError:
            if not isinstance(error, RecordsError):
                raise
        raise
    if not sweep.finished:
        sweep.on(events.Halted(at=time.time(), reason="Ray Tune's run ended before the sweep"))
    loop.finish()
