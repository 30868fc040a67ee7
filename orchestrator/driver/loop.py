"""What is done repeatedly while Ray Tune runs a sweep: signals, the lease, budgets, records, the observer.

Ray Tune's hooks call the loop all the time. While the records cannot be written, the loop blocks, and with it
everything that Ray Tune would decide or start: no trial trains for long without being recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from orchestrator import steady_clock
from orchestrator.control.lease import LeaseLostError
from orchestrator.core import events
from orchestrator.core.rows import TrialRow
from orchestrator.driver.observer import RECORDS
from orchestrator.errors import RecordsError

if TYPE_CHECKING:
    from orchestrator.driver.session import Session

TICK_S = 0.1
"""The least seconds between two rounds of records, budgets and requests."""
RETRY_S = 1.0
"""Seconds between two attempts to write to a failing disk."""
LAST_S = 3.0
"""Seconds for which writing is retried once the sweep was asked to end: a disk may be unavailable for a moment."""


class DriverLoop:
    """Ticks while a sweep runs, and writes the last of its records."""

    def __init__(self, session: Session, *, retry_s: float = RETRY_S) -> None:
        self._session = session
        self._retry_s = retry_s
        self._next = 0.0
        self._ending: str | None = None  # why the sweep was asked to end
        self._not_followed_up: dict[int, TrialRow] = {}  # ended trials whose checkpoints could not be removed

    def tick(self, late_s: float = 0.0) -> float:
        """Do what is due, and wait while the records cannot be written; returns the time, in seconds since the epoch.

        Args:
            late_s: Seconds by which the tick may be later than usual, because something else is more urgent.

        Raises:
            LeaseLostError: Another driver has taken the sweep over.
            RecordsError: The sweep was asked to end, and its last records cannot be written.
        """
        if time.monotonic() >= self._next + late_s:
            session = self._session
            session.sweep.on(events.Ticked(at=steady_clock.now()))
            self._write(session.recorder.tick)
            session.observer.show(session.sweep, steady_clock.now())
            self._next = time.monotonic() + TICK_S
        return steady_clock.now()

    def finish(self) -> None:
        """Write all records when the sweep has ended; waits and raises as :meth:`tick` does."""
        session = self._session
        self._write(session.recorder.flush)
        self._follow_up()
        session.observer.show(session.sweep, steady_clock.now())

    def write_what_can_be_written(self) -> None:
        """Try once to write all records, after something has gone wrong.

        Raises:
            RecordsError: They cannot be written.
        """
        session = self._session
        self._take(steady_clock.now())
        session.found_space.write()
        session.recorder.flush()
        session.observer.show(session.sweep, steady_clock.now())

    def _write(self, write: Callable[[], None]) -> None:
        """Write, and retry until the disk accepts the records."""
        session = self._session
        refused = self._try(write)
        if refused is None:
            return
        began = time.monotonic()
        session.observer.trouble(RECORDS, f"waiting for {RECORDS}: {refused}; trials wait at their next report")
        while refused is not None:
            if self._ending is not None and time.monotonic() - began >= LAST_S:
                raise RecordsError(
                    f"{self._ending}, and the last of {RECORDS} cannot be written: {refused}"
                ) from refused
            session.observer.show(session.sweep, steady_clock.now())
            time.sleep(self._retry_s)
            refused = self._try(session.recorder.flush)
        session.observer.trouble(RECORDS, None)
        self._follow_up()

    def _try(self, write: Callable[[], None]) -> Exception | None:
        """Handle requests, renew the lease, write; returns the error of the disk, if any."""
        session, now, refused = self._session, steady_clock.now(), None
        requested: Iterable[events.Event] = ()
        try:
            requested = tuple(session.poll(now))
            session.lease.beat()
        except LeaseLostError:
            raise
        except (RecordsError, OSError) as error:
            refused = error
        for event in requested:
            session.sweep.on(event)
            if isinstance(event, events.Halted | events.StopAfterNextReport):
                self._ending = event.reason
            if isinstance(event, events.StopAfterNextReport):
                session.waiting.stopping(event.reason, grace_s=session.commands.grace_s)
        self._take(now)
        try:
            session.found_space.write()
            write()
        except RecordsError as error:
            return error
        if not session.recorder.pending:
            session.journals.all_recorded()
        return refused

    def _take(self, now: float) -> None:
        """Pass new rows to the recorder."""
        session = self._session
        rows = session.diagnosis.diagnosed(session.sweep.take(now))
        session.found_space.add_columns(session.recorder)
        session.recorder.metrics(rows.metrics)
        session.recorder.events(rows.events)
        for row in rows.trials:
            session.recorder.trial(row)
            if row.state.ended:
                self._trial_ended(row)

    def _trial_ended(self, row: TrialRow) -> None:
        self._session.journals.trial_ended(row)
        self._not_followed_up.pop(row.trial, None)
        try:
            self._session.retention.trial_ended(row)
        except OSError:
            self._not_followed_up[row.trial] = row

    def _follow_up(self) -> None:
        """Try again to remove checkpoints that could not be removed."""
        for row in list(self._not_followed_up.values()):
            self._trial_ended(row)
