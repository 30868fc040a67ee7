"""Measures where the time of a session's slots goes, while the session runs."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.sweep import Sweep
from orchestrator.core.time_account import TimeAccount


class TimeAccounting:
    """The account of a running session."""

    def __init__(self, sweep: Sweep, slots: Callable[[], int], clock: Callable[[], float]) -> None:
        """Begin the account of a session, before Ray starts.

        Args:
            sweep: The state machine.
            slots: How many trials may run at once, now.
            clock: Returns seconds, from any origin.
        """
        self._sweep = sweep
        self._slots = slots
        self._clock = clock
        self._before = _sums(sweep)
        self._began = self._sampled = clock()
        self._slots_s = 0.0
        self._ray_s = 0.0  # slots × the time that Ray took to start

    def ray_started(self) -> None:
        """Note that Ray has started: until now, no trial could run."""
        self.sample()
        self._ray_s = self._slots_s

    def sample(self) -> None:
        """Count the slots' time since the last call. Call it often: the number of slots may change."""
        now = self._clock()
        self._slots_s += (now - self._sampled) * self._slots()
        self._sampled = now

    def close(self, recording_s: float) -> TimeAccount:
        """The account of the session, which ends now.

        Args:
            recording_s: Seconds spent writing records.
        """
        self.sample()
        startup, trained, in_slot = (now - then for now, then in zip(_sums(self._sweep), self._before, strict=True))
        start_up_s = self._ray_s + startup
        scheduling_s = max(0.0, in_slot - trained)
        return TimeAccount(
            wall_s=self._sampled - self._began,
            slots_s=self._slots_s,
            start_up_s=start_up_s,
            training_s=trained,
            scheduling_s=scheduling_s,
            idle_s=max(0.0, self._slots_s - start_up_s - trained - scheduling_s),
            recording_s=recording_s,
        )


def _sums(sweep: Sweep) -> tuple[float, float, float]:
    """Over all trials: seconds of start-up, of training, in a slot."""
    trials = sweep.trials
    return sum(trial.startup_s for trial in trials), sweep.usage.trained_s, sum(trial.in_slot_s for trial in trials)
