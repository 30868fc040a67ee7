"""What a screen shows of a sweep at a moment, as a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.analysis.summary.overview import Objective, Status
from orchestrator.analysis.watch.listing import Listing, Row, curves
from orchestrator.core.rows import EventRow, State
from orchestrator.core.schedulers import RungSummary

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 3
"""From so many ended trials on there is a pace to speak of."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One go of a driver at the sweep: the latest."""

    began: float  # seconds since the epoch
    ended: float | None = None  # None: it goes on
    trials: int = 0  # that have ended in it

    def seconds(self, now: float) -> float:
        """How long it has taken so far."""
        return max(0.0, (now if self.ended is None else self.ended) - self.began)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A sweep as far as it has come."""

    name: str
    status: Status
    trainable: str
    objective: Objective
    total: int | None  # trials there will be at most; None: only time limits them
    listing: Listing | None = None  # None: nothing is recorded yet
    metrics: pa.Table | None = None
    rungs: tuple[RungSummary, ...] = ()
    news: tuple[EventRow, ...] = ()  # the newest last
    session: Session | None = None  # None: none has begun
    now: float = 0.0
    trouble: str = ""  # why there is nothing newer to be seen

    @property
    def running(self) -> bool:
        """Whether a driver is at work, as far as can be seen."""
        return self.status in ("running", "running?")

    @property
    def states(self) -> dict[State, int]:
        """How many trials there are in each state."""
        return self.listing.states if self.listing is not None else {}

    @property
    def best(self) -> Row | None:
        """The best trial so far."""
        return self.listing.best if self.listing is not None else None

    @property
    def length(self) -> int:
        """The last step that any trial came to."""
        return self.listing.length if self.listing is not None else 0

    @property
    def ended(self) -> int:
        """Trials that have ended."""
        return sum(count for state, count in self.states.items() if state.ended)

    @property
    def seconds(self) -> float:
        """How long the latest session has taken so far."""
        return 0.0 if self.session is None else self.session.seconds(self.now)

    @property
    def per_minute(self) -> float | None:
        """Trials that end a minute; None while there is no pace to speak of."""
        if self.session is None or self.session.trials < FEWEST or not self.seconds:
            return None
        return 60 * self.session.trials / self.seconds

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at that pace; None if that is not known."""
        if not self.running or self.total is None or self.per_minute is None:
            return None
        return 60 * max(0, self.total - self.ended) / self.per_minute

    def curves(self, trials: Collection[int]) -> dict[int, list[tuple[int, float]]]:
        """The objective of these trials, step by step."""
        return curves(self.metrics, self.objective.metric, trials)
