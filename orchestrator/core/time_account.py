"""Where the time of a session's slots went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce

from orchestrator.core.rows import ACCOUNT, EventRow


@dataclass(frozen=True, kw_only=True)
class TimeAccount:
    """Seconds. Start-up, training, scheduling and idle time add up to ``slots_s``; recording is the driver's time."""

    wall_s: float  # of the session, including the start of Ray
    slots_s: float  # slots × wall time
    start_up_s: float  # starting Ray and the processes of trials
    training_s: float
    scheduling_s: float  # a trial occupies the slot without training: beginning, waiting for decisions, ending
    idle_s: float  # no trial in the slot
    recording_s: float  # the driver writes records

    @property
    def overhead(self) -> float:
        """The share of slot time without training."""
        return 1 - self.training_s / self.slots_s if self.slots_s else 0.0

    def __add__(self, other: TimeAccount) -> TimeAccount:
        """The account of two sessions together."""
        left, right = asdict(self), asdict(other)
        return TimeAccount(**{name: left[name] + right[name] for name in left})

    def row(self, at: float) -> EventRow:
        """The account as a row of the events."""
        return EventRow(at=at, event=ACCOUNT, value=self.overhead, reason="where the time went", detail=asdict(self))


def total(accounts: Sequence[TimeAccount]) -> TimeAccount | None:
    """The account of all sessions together; None without sessions."""
    return reduce(TimeAccount.__add__, accounts) if accounts else None
