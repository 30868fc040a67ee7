"""Trains each trial in a process of its own, forked from a warm parent."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from orchestrator.core.events import Start
from orchestrator.worker.attempt import PATIENCE_S, SAVING_S, SILENT_S
from orchestrator.worker.failures import process_died
from orchestrator.worker.fork.protocol import COLLECT, END, Closing, Forked, Packed, Surroundings
from orchestrator.worker.fork.warm_parent import CannotFork, WarmParent, WarmParentDied
from orchestrator.worker.messages import AttemptEnd, WorkerSettings, WorkerUpdate
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.report_journal import unrecorded
from trainables.report import Report

ENDING_S = 2 * PATIENCE_S + SAVING_S + 1
"""Seconds that a process may take until its training has ended; then it is killed."""
EXIT_S = 2.0
"""Seconds that it may take to exit after that."""
NODE_S = 1.0
"""Seconds that a killed process waits to be reported: if its node is being switched off, the worker is killed next."""


class Forking:
    """Runs attempts in processes that a warm parent forks."""

    def __init__(self, settings: WorkerSettings, surroundings: Surroundings) -> None:
        """Start the warm parent, which imports the trainable.

        Raises:
            TrainableError: The trainable cannot be imported.
            CannotFork: The trainable cannot run in a forked process.
            WarmParentDied: Importing it ended the process.
        """
        self._settings = settings
        self._surroundings = surroundings
        self._parent = WarmParent(settings, surroundings)
        self._learns = True  # whether the parent imports what the trials import
        self._reserve: Connection | None = None  # to a process that waits for the next trial
        self._connection: Connection | None = None  # to the trial's process
        self._pid = 0  # of that process
        self._asked = False  # whether it owes an answer
        self._over = False  # whether the trial has ended by itself
        self._dead = False  # whether the trial's process has ended without a word

    def begin(self, order: Start, part: Part = ALONE) -> None:
        """Begin an attempt, in the process that is in reserve or in a new one."""
        self._order = order
        self._part = part
        self._log = self._settings.log(order.trial, part.rank)
        self._log_before = _size(self._log)
        self._began = self._answered_at = time.monotonic()
        self._asked = self._over = self._dead = False
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            with suppress(WarmParentDied):
                self._order_to(reserve)
                return
        try:
            self._order_to(self._parent.fork())
        except WarmParentDied:
            self._parent.close()
            self._parent = WarmParent(self._settings, self._surroundings)
            self._order_to(self._parent.fork())

    def update(self) -> bytes:
        """What happened since the last call.

        Raises:
            CannotFork: The trainable needs Ray, which a forked process has not.
        """
        connection = self._connection
        assert connection is not None
        if self._reserve is None:
            with suppress(WarmParentDied):
                self._reserve = self._parent.fork()
        try:
            if not self._asked:
                connection.send_bytes(COLLECT)
            self._asked = not connection.poll(2 * self._settings.heartbeat_s)
            if self._asked:
                return self._update([], ended=None)
            packed = connection.recv()
            self._answered_at = time.monotonic()
        except (EOFError, OSError):
            return self._died()
        assert isinstance(packed, Packed)
        self._over = packed.over
        if packed.used_ray:
            self.end()
            with suppress(OSError):  # the attempt begins again, and what it has printed so far was for nothing
                os.truncate(self._log, self._log_before)
            raise CannotFork("the trainable uses Ray")
        return packed.update

    def end(self) -> None:
        """End the attempt, and have the parent import what the trial has imported."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        closing: Closing | None = None
        with connection:
            try:
                if not self._over:
                    connection.send_bytes(END)
                while closing is None and connection.poll(ENDING_S + self._settings.grace_s):
                    message = connection.recv()
                    closing = message if isinstance(message, Closing) else None
            except (EOFError, OSError):
                pass  # it has died, or been killed
        try:
            if not self._dead and self._parent.wait(self._pid, EXIT_S if closing else 0) is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._pid, signal.SIGKILL)
                self._parent.wait(self._pid, None)
            if closing is not None:
                self._learn(closing.imported)
        except WarmParentDied:
            pass  # the next attempt gets a new one

    def close(self) -> None:
        """End the attempt, the parent, and whatever they have started."""
        self._learns = False
        try:
            self.end()
        finally:
            self._drop_reserve()
            self._parent.close()

    def _order_to(self, connection: Connection) -> None:
        """Have a process train the trial.

        Raises:
            WarmParentDied: The process has ended, which happens if the parent has.
        """
        try:
            forked = connection.recv()
            connection.send((self._order, self._part))
        except (EOFError, OSError):
            connection.close()
            raise WarmParentDied from None
        assert isinstance(forked, Forked)
        self._pid = forked.pid
        self._connection = connection

    def _drop_reserve(self) -> None:
        if self._reserve is not None:
            self._reserve.close()  # upon which it exits
            self._reserve = None

    def _died(self) -> bytes:
        """The last update of a process that ended without a word."""
        self._dead = True
        try:
            status = self._parent.wait(self._pid, None)
        except WarmParentDied:
            status = -signal.SIGKILL
        assert status is not None
        if -status in (signal.SIGKILL, signal.SIGTERM):
            time.sleep(NODE_S)
        settings, order = self._settings, self._order
        failure = process_died(status, self._log, settings.timeout_s)
        reports: list[Report] = []
        with suppress(OSError):
            reports = (
                []
                if self._part.rank
                else unrecorded(settings.journal(order.trial), -1 if order.recorded is None else order.recorded)
            )
        return self._update(reports, ended=AttemptEnd(failure=failure))

    def _update(self, reports: list[Report], *, ended: AttemptEnd | None) -> bytes:
        """An update that the trial's process has not made itself."""
        silent_s = 0.0 if ended is not None else time.monotonic() - self._answered_at
        return WorkerUpdate(
            reports=reports,
            train_s=self._order.trained_s + time.monotonic() - self._began,
            node=self._surroundings.node,
            gpu_ids=self._surroundings.gpu_ids,
            ended=ended,
            silent_s=silent_s if silent_s >= SILENT_S else 0.0,
            place="C code that holds the interpreter's lock",
        ).pack()

    def _learn(self, modules: tuple[str, ...]) -> None:
        if not modules or not self._learns:
            return
        self._drop_reserve()  # it has not learned
        if self._parent.learn(modules):  # it is not fit to be forked any more; the next attempt gets another
            self._learns = False
            self._parent.close()


def _size(log: Path) -> int:
    """The length of a log, in bytes; 0 if there is none."""
    try:
        return log.stat().st_size
    except OSError:
        return 0
