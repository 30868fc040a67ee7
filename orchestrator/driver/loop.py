"""What happens again and again while Ray Tune runs a sweep: signals, the lease, budgets, records, who watches.

Ray Tune calls the heart between any two things it does. Where the disk refuses the records, the heart stands still
until it takes them again, and with it all that Ray Tune would decide or start: nothing goes on for long unrecorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from orchestrator.control.lease import LeaseLostError
from orchestrator.core import events
from orchestrator.core.journal import Rows
from orchestrator.core.rows import TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.errors import RecordsError
from orchestrator.records.recorder import Recorder

TICK_S = 0.1  # how often records, budgets and the observer get a look, at most
RETRY_S = 1.0  # how often a disk that refuses is tried again
LAST_S = 3.0
"""For how long it is tried again once the sweep is to end: a disk is sometimes away for a moment."""

RECORDS = "the records"
CHECKPOINTS = "checkpoints"
RAY = "Ray"
"""What can be in trouble. After trouble with Ray nothing follows: the process ends."""

Poll = Callable[[float], Iterable[events.Event]]
"""What came from outside since the last call: signals, requests of other terminals. Given the time."""


class Observer(Protocol):
    """Who watches a sweep while it runs: a terminal, or nobody."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Called some ten times a second."""
        ...

    def trouble(self, what: str, why: str | None) -> None:
        """Something cannot be written, and what that means for the sweep; None: it can be again.

        Called once when it begins and once when it is over.
        """
        ...


class NoObserver:
    """Does not watch."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Sees nothing."""

    def trouble(self, what: str, why: str | None) -> None:
        """Hears nothing."""


class DriverLoop:
    """Beats while a sweep runs, and writes the last of its records."""

    def __init__(
        self,
        sweep: Sweep,
        recorder: Recorder,
        observer: Observer,
        *,
        poll: Poll,
        lease: Callable[[], None],
        ended: Callable[[TrialRow], object],
        examine: Callable[[Rows], Rows] = lambda rows: rows,
        retry_s: float = RETRY_S,
    ) -> None:
        self._sweep = sweep
        self._recorder = recorder
        self._observer = observer
        self._poll = poll
        self._lease = lease
        self._ended = ended
        self._examine = examine
        self._retry_s = retry_s
        self._next = 0.0
        self._ending: str | None = None  # why the sweep was asked to end
        self._unfollowed: dict[int, TrialRow] = {}  # trials whose end could not be followed up

    def beat(self, late_s: float = 0.0) -> float:
        """Beat if it is time to, and wait while the records cannot be written; returns the time.

        Args:
            late_s: How much later than otherwise it may be, because something is more urgent.

        Raises:
            LeaseLostError: Another driver has taken the sweep over.
            RecordsError: The sweep was asked to end, and what there is to record cannot be.
        """
        if time.monotonic() >= self._next + late_s:
            self._sweep.on(events.Ticked(at=time.time()))
            self._insist(self._recorder.tick)
            self._observer.show(self._sweep, time.time())
            self._next = time.monotonic() + TICK_S
        return time.time()

    def finish(self) -> None:
        """Write all there is to say, when the sweep is over; waits and raises as :meth:`beat` does."""
        self._insist(self._recorder.flush)
        self._follow_up()
        self._observer.show(self._sweep, time.time())

    def last_try(self) -> None:
        """Write what can be written, when something has gone wrong.

        Raises:
            RecordsError: Nothing can be.
        """
        self._take(time.time())
        self._recorder.flush()
        self._observer.show(self._sweep, time.time())

    def _insist(self, write: Callable[[], None]) -> None:
        refused = self._go(write)
        if refused is None:
            return
        began = time.monotonic()
        self._observer.trouble(RECORDS, f"waiting for {RECORDS}: {refused}; trials wait at their next report")
        while refused is not None:
            if self._ending is not None and time.monotonic() - began >= LAST_S:
                raise RecordsError(
                    f"{self._ending}, and the last of {RECORDS} cannot be written: {refused}"
                ) from refused
            self._observer.show(self._sweep, time.time())
            time.sleep(self._retry_s)
            refused = self._go(self._recorder.flush)
        self._observer.trouble(RECORDS, None)
        self._follow_up()

    def _go(self, write: Callable[[], None]) -> Exception | None:
        """Hear what came, show that we live, write; returns what the disk refused of it."""
        now, refused = time.time(), None
        heard: Iterable[events.Event] = ()
        try:
            heard = tuple(self._poll(now))
            self._lease()
        except LeaseLostError:
            raise
        except (RecordsError, OSError) as error:
            refused = error
        for event in heard:
            self._sweep.on(event)
            if isinstance(event, events.Halted | events.StopAfterNextReport):
                self._ending = event.reason
        self._take(now)
        try:
            write()
        except RecordsError as error:
            return error
        return refused

    def _take(self, now: float) -> None:
        rows = self._examine(self._sweep.take(now))
        self._recorder.metrics(rows.metrics)
        self._recorder.events(rows.events)
        for row in rows.trials:
            self._recorder.trial(row)
            if row.state.ended:
                self._follow(row)

    def _follow(self, row: TrialRow) -> None:
        """Do what is to be done when a trial has ended, such as to remove checkpoints."""
        self._unfollowed.pop(row.trial, None)
        try:
            self._ended(row)
        except OSError:
            self._unfollowed[row.trial] = row

    def _follow_up(self) -> None:
        """Do what the disk has refused of that."""
        for row in list(self._unfollowed.values()):
            self._follow(row)


class CheckpointTrouble:
    """Whether checkpoints cannot be written, as the trials tell it; said once, not once a trial."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._trials: set[int] = set()  # those that had it when they last spoke

    def told(self, trial: int, why: str, *, returned: bool) -> None:
        """What a trial says of its checkpoints; ``returned``: with the last of them written."""
        before = bool(self._trials)
        if why:
            self._trials.add(trial)
            if not before:
                said = f"{CHECKPOINTS} cannot be written: {why}; training and recording go on"
                self._observer.trouble(CHECKPOINTS, said)
            return
        if returned:
            self._trials.clear()  # trials that were stopped say nothing any more
        self._trials.discard(trial)
        if before and not self._trials:
            self._observer.trouble(CHECKPOINTS, None)
