"""Runs one sweep through Ray Tune. Ray Tune itself is imported only when a run starts."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Protocol

from cluster.ray_private.environment import set_for_ray_tune
from orchestrator.core.sweep import Sweep
from orchestrator.sites.needs import Needs
from orchestrator.worker.messages import WorkerSettings


class CheckpointTroubles(Protocol):
    """Takes the state of trials' checkpoints."""

    def update(self, trial: int, why: str, *, returned: bool) -> None:
        """Why a trial's checkpoints cannot be written ("" if they are), and whether its trainable has returned."""
        ...


class Listener(Protocol):
    """Takes signs of life."""

    def heard(self, trial: int, at: float, *, silent_s: float, place: str) -> None:
        """A worker has answered; the trial has been silent for so long, at this place of its code."""
        ...


class Driver(Protocol):
    """What the hooks need of their session."""

    sweep: Sweep

    @property
    def checkpoint_trouble(self) -> CheckpointTroubles:
        """Takes the state of trials' checkpoints."""
        ...

    @property
    def waiting(self) -> Listener:
        """Takes the workers' signs of life."""
        ...

    def slots(self) -> int:
        """How many trials may run at once, now."""
        ...

    def tick(self) -> float:
        """Do what is due outside of Ray Tune; returns the time, in seconds since the epoch. Called very often."""
        ...


def import_ray_tune() -> threading.Thread:
    """Begin to import Ray Tune in a thread, which is returned: this process would only wait while Ray starts."""

    def load() -> None:
        with suppress(Exception):  # whoever needs it meets the error
            import ray.tune  # noqa: F401

    thread = threading.Thread(target=load, name="imports Ray Tune", daemon=True)
    thread.start()
    return thread


def run_ray_tune(driver: Driver, settings: WorkerSettings, *, needs: Needs, pack: bool, reuse: bool) -> None:
    """Run the sweep on the Ray cluster that this process is connected to, until the sweep has ended.

    Args:
        driver: The session.
        settings: What all workers share.
        needs: What trials occupy, unless the sweep gives one another share of a GPU.
        pack: Fill one node after the other, instead of spreading the trials.
        reuse: Run trial after trial in the same process.

    Raises:
        UnsupportedRayError: The installed Ray cannot run a sweep.
    """
    set_for_ray_tune()

    from orchestrator.tune.tuner import fit

    fit(driver, settings, needs=needs, pack=pack, reuse=reuse)
