"""Trains each trial in a process of its own, forked from a warm parent."""

from __future__ import annotations

import math
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from orchestrator.core.events import Start
from orchestrator.worker.attempt import PATIENCE_S, SAVING_S
from orchestrator.worker.failures import process_died
from orchestrator.worker.fork.protocol import COLLECT, END, Closing, Order, Packed, Surroundings
from orchestrator.worker.fork.warm_parent import CannotFork, WarmParent, WarmParentDied
from orchestrator.worker.messages import AttemptEnd, WorkerSettings, WorkerUpdate
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
        self._connection: Connection | None = None  # to the trial's process
        self._asked = False  # whether it owes an answer
        self._dead = False  # whether the trial's process has ended without a word
        self._best_loss_so_far = math.inf

    def begin(self, order: Start) -> None:
        """Fork a process for an attempt."""
        self._order = order
        self._began = time.monotonic()
        self._dead = self._asked = False
        try:
            self._connection = self._parent.fork(self._message())
        except WarmParentDied:
            self._parent.close()
            self._parent = WarmParent(self._settings, self._surroundings)
            self._connection = self._parent.fork(self._message())

    def update(self) -> bytes:
        """What happened since the last call.

        Raises:
            CannotFork: The trainable needs Ray, which a forked process has not.
        """
        connection = self._connection
        assert connection is not None
        try:
            if not self._asked:
                connection.send_bytes(COLLECT)
            self._asked = not connection.poll(2 * self._settings.heartbeat_s)
            if self._asked:  # C code holds the interpreter there
                return self._update([], ended=None)
            packed = connection.recv()
        except (EOFError, OSError):
            return self._died()
        assert isinstance(packed, Packed)
        if packed.used_ray:
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
                connection.send_bytes(END)
                while closing is None and connection.poll(ENDING_S):
                    message = connection.recv()
                    closing = message if isinstance(message, Closing) else None
            except (EOFError, OSError):
                pass  # it has died, or been killed
        try:
            if not self._dead and self._parent.wait(EXIT_S if closing else 0) is None:
                self._parent.kill()
                self._parent.wait(None)
            if closing is not None:
                self._best_loss_so_far = min(self._best_loss_so_far, closing.loss)
                self._learn(closing.imported)
        except WarmParentDied:
            pass  # the next attempt gets a new one

    def close(self) -> None:
        """End the attempt, the parent, and whatever they have started."""
        self._learns = False
        try:
            self.end()
        finally:
            self._parent.close()

    def _message(self) -> Order:
        return Order(start=self._order, best_loss_so_far=self._best_loss_so_far)

    def _died(self) -> bytes:
        """The last update of a process that ended without a word."""
        self._dead = True
        try:
            status = self._parent.wait(None)
        except WarmParentDied:
            status = -signal.SIGKILL
        assert status is not None
        if -status in (signal.SIGKILL, signal.SIGTERM):
            time.sleep(NODE_S)
        settings, order = self._settings, self._order
        failure = process_died(status, settings.log(order.trial), settings.timeout_s)
        reports: list[Report] = []
        with suppress(OSError):
            reports = unrecorded(settings.journal(order.trial), -1 if order.recorded is None else order.recorded)
        return self._update(reports, ended=AttemptEnd(failure=failure))

    def _update(self, reports: list[Report], *, ended: AttemptEnd | None) -> bytes:
        """An update that the trial's process has not made itself."""
        return WorkerUpdate(
            reports=reports,
            train_s=self._order.trained_s + time.monotonic() - self._began,
            node=self._surroundings.node,
            gpu_ids=self._surroundings.gpu_ids,
            ended=ended,
        ).pack()

    def _learn(self, modules: tuple[str, ...]) -> None:
        if not modules or not self._learns:
            return
        if self._parent.learn(modules):  # it is not fit to be forked any more; the next attempt gets another
            self._learns = False
            self._parent.close()
