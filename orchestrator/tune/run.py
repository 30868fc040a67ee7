"""Drives one sweep through Ray Tune, from the first ask to the last record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from cluster.fit import Need
from cluster.ray_private.environment import set_for_ray_tune
from orchestrator.control.lease import LeaseLostError
from orchestrator.core import events
from orchestrator.core.journal import Rows
from orchestrator.core.rows import TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.driver.loop import CheckpointTrouble, DriverLoop, Observer, Poll
from orchestrator.errors import RecordsError
from orchestrator.records.recorder import Recorder
from orchestrator.worker.messages import WorkerSettings

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
    set_for_ray_tune()

    from orchestrator.tune.tuner import fit

    loop = DriverLoop(sweep, recorder, observer, poll=poll, lease=lease, ended=ended, examine=examine)

    def tick() -> float:
        """A slot that is free gets its next trial first, and then the records are written."""
        return loop.beat(LATE_S if sweep.live < slots() and not sweep.exhausted else 0.0)

    try:
        fit(
            sweep,
            job,
            need=need,
            pack=pack,
            slots=slots,
            reuse=reuse,
            tick=tick,
            trouble=CheckpointTrouble(observer),
        )
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
