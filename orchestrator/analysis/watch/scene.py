"""The state of a sweep at one moment, as a screen shows it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.analysis.outlook.outlook import Outlook
from orchestrator.analysis.summary.overview import Objective, Status
from orchestrator.analysis.watch.listing import Listing, Row, curves
from orchestrator.core.rows import EventRow, State
from orchestrator.core.schedulers import RungSummary
from orchestrator.spec.sections import Unit

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 3
"""The fewest ended trials from which there is a pace."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """The latest session: one run of a driver."""

    began: float  # seconds since the epoch
    ended: float | None = None  # None: still running
    trials: int = 0  # that ended or paused in the session
    before_s: float = 0.0  # for which earlier sessions ran

    def seconds(self, now: float) -> float:
        """The duration of the session so far."""
        return max(0.0, (now if self.ended is None else self.ended) - self.began)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A sweep as recorded so far."""

    name: str
    status: Status
    trainable: str
    objective: Objective
    total: int | None  # the most trials; None: no number ends the sweep
    limit_s: float | None = None  # seconds after which the sweep ends, over all sessions; None: no limit
    listing: Listing | None = None  # None: nothing recorded yet
    outlook: tuple[Outlook, ...] = ()  # what further trials would bring
    metrics: pa.Table | None = None
    rung_unit: Unit = "steps"
    rungs: tuple[RungSummary, ...] = ()
    news: tuple[EventRow, ...] = ()  # the newest last
    session: Session | None = None  # None: not started yet
    now: float = 0.0
    trouble: str = ""  # why the records could not be read

    @property
    def running(self) -> bool:
        """Whether a driver seems to be running."""
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
    def spread(self) -> float:
        """How far the results of the best quarter of the trials lie apart."""
        if self.listing is None:
            return 0.0
        return self.objective.spread_of(self.listing.table["objective"].drop_null().to_pylist())

    @property
    def length(self) -> int:
        """The highest step that any trial reached."""
        return self.listing.length if self.listing is not None else 0

    @property
    def ended(self) -> int:
        """The number of ended trials."""
        return sum(count for state, count in self.states.items() if state.ended)

    @property
    def done(self) -> int:
        """The number of trials that ended, or wait at a rung."""
        return self.ended + self.states.get(State.PAUSED, 0)

    @property
    def seconds(self) -> float:
        """The duration of the latest session so far."""
        return 0.0 if self.session is None else self.session.seconds(self.now)

    @property
    def per_minute(self) -> float | None:
        """Trials ended or paused per minute; None if too few have."""
        if self.session is None or self.session.trials < FEWEST or not self.seconds:
            return None
        return 60 * self.session.trials / self.seconds

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at the current pace, within the limit of time; None if unknown."""
        if not self.running:
            return None
        by_time = None if self.limit_s is None else max(0.0, self.limit_s - self.ran_s)
        if self.total is None or self.per_minute is None:
            return by_time if self.total is None else None
        by_pace = 60 * max(0, self.total - self.done) / self.per_minute
        return by_pace if by_time is None else min(by_pace, by_time)

    @property
    def ran_s(self) -> float:
        """Seconds that all sessions ran so far."""
        return self.seconds + (0.0 if self.session is None else self.session.before_s)

    @property
    def share(self) -> float | None:
        """How much of the sweep is done, 0 to 1: of its trials, or else of its time. None: nothing says."""
        if self.total:
            return self.done / self.total
        return None if self.limit_s is None else min(1.0, self.ran_s / self.limit_s)

    def curves(self, trials: Collection[int]) -> dict[int, list[tuple[int, float]]]:
        """The objective of these trials at each step."""
        return curves(self.metrics, self.objective.metric, trials)
