"""The account of a session: where the time of its slots went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import TYPE_CHECKING

from orchestrator.core.rows import ACCOUNT, EventRow

if TYPE_CHECKING:
    from orchestrator.core.sweep import Sweep


@dataclass(frozen=True, kw_only=True)
class TimeAccount:
    """Seconds. Those of the slots sum up to ``slots_s``; ``recording_s`` is the driver's, beside them."""

    wall_s: float  # of the session, the start of Ray included
    slots_s: float  # slots × wall time
    start_up_s: float  # Ray, and the processes of the trials
    training_s: float
    scheduling_s: float  # a trial in its slot, not training: it waits for a decision, begins, ends
    idle_s: float  # no trial in the slot
    recording_s: float

    @property
    def overhead(self) -> float:
        """The share of the slots' time in which nothing was trained."""
        return 1 - self.training_s / self.slots_s if self.slots_s else 0.0

    def __add__(self, other: TimeAccount) -> TimeAccount:
        """Two sessions together."""
        mine, theirs = asdict(self), asdict(other)
        return TimeAccount(**{name: mine[name] + theirs[name] for name in mine})

    def row(self, at: float) -> EventRow:
        """As it is recorded."""
        return EventRow(at=at, event=ACCOUNT, value=self.overhead, reason="where the time went", detail=asdict(self))


def total(accounts: Sequence[TimeAccount]) -> TimeAccount | None:
    """Of all sessions; None if there are none."""
    return reduce(TimeAccount.__add__, accounts) if accounts else None


class TimeAccounting:
    """Keeps the account while a session runs. The clock gives seconds from any origin."""

    def __init__(self, sweep: Sweep, slots: Callable[[], int], clock: Callable[[], float]) -> None:
        """The session begins; Ray is not there yet."""
        self._sweep = sweep
        self._slots = slots
        self._clock = clock
        self._before = _sums(sweep)
        self._began = self._looked = clock()
        self._slots_s = 0.0
        self._ray_s = 0.0  # slots × the time that Ray took to start

    def ray_started(self) -> None:
        """Ray runs: until now nothing could."""
        self.look()
        self._ray_s = self._slots_s

    def look(self) -> None:
        """Call it now and then: the number of slots may change."""
        now = self._clock()
        self._slots_s += (now - self._looked) * self._slots()
        self._looked = now

    def close(self, recording_s: float) -> TimeAccount:
        """The session ends, having spent so many seconds on writing records."""
        self.look()
        startup, trained, in_slot = (now - then for now, then in zip(_sums(self._sweep), self._before, strict=True))
        start_up_s = self._ray_s + startup
        scheduling_s = max(0.0, in_slot - trained)
        return TimeAccount(
            wall_s=self._looked - self._began,
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
    return sum(trial.startup_s for trial in trials), sweep.trained_s, sum(trial.in_slot_s for trial in trials)
