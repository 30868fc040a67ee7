"""The account of a session: where the time of its slots went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce

from orchestrator.core.rows import ACCOUNT, EventRow


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
