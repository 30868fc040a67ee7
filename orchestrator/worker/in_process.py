"""Trains trials in a thread of the worker's own process: one after the other, or one alone."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.failures import memory_left_message
from orchestrator.worker.loading import load, runner
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.ranks.attempts import attempt_of
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.runner import WorkerSpent
from trainables.process.isolation import SharedProcess


class InProcess:
    """Runs attempts in this process."""

    def __init__(
        self, settings: WorkerSettings, *, node: Node, gpu_ids: tuple[str, ...], once: bool = False, note: str = ""
    ) -> None:
        """Import the trainable.

        Args:
            settings: The sweep's.
            node: Where the worker runs.
            gpu_ids: The GPUs that it has.
            once: Whether the worker is to run one attempt only.
            note: What is to be recorded about the sweep, once.

        Raises:
            TrainableError: The trainable cannot be imported.
        """
        self._settings = settings
        self._node = node
        self._gpu_ids = gpu_ids
        self._once = once
        self._note = note
        self._run = runner(load(settings), settings)
        self._isolation = SharedProcess()
        self._attempt: Attempt | None = None
        self._spent = False

    def begin(self, order: Start, part: Part = ALONE) -> None:
        """Begin an attempt, in a thread."""
        self._attempt = attempt_of(order, self._settings, self._run, self._isolation, part)
        self._attempt.start()

    def update(self) -> bytes:
        """What happened since the last call."""
        if self._spent:
            raise WorkerSpent("the trial failed")
        assert self._attempt is not None
        update = self._attempt.update(node=self._node, gpu_ids=self._gpu_ids)
        self._spent = update.ended is not None and update.ended.failed
        return replace(update, spent=self._spent, once=self._once, note=self._note).pack()

    def end(self) -> None:
        """End the attempt; refuse another one if this one has left something behind."""
        attempt = self._attempt
        if attempt is None:
            return
        if not attempt.end():
            raise WorkerSpent("the previous trial cannot be ended")
        if attempt.failed:
            raise WorkerSpent("the previous trial failed")
        if attempt.memory_left:
            raise WorkerSpent(memory_left_message(attempt.memory_left))
        if self._once:
            raise WorkerSpent("each trial gets a process of its own")

    def close(self) -> None:
        """End the attempt; the process ends next."""
        if self._attempt is not None:
            self._attempt.end()
