"""What runs the attempts of a worker, wherever the trial's code runs."""

from __future__ import annotations

from typing import Protocol

from orchestrator.core.events import Start
from orchestrator.worker.ranks.part import ALONE, Part


class WorkerSpent(RuntimeError):
    """Makes Ray Tune discard this worker. The driver already knows how the trial ended."""


class Runner(Protocol):
    """Runs one attempt after the other: ``begin``, ``update`` until the attempt has ended or is to end, ``end``."""

    def begin(self, order: Start, part: Part = ALONE) -> None:
        """Begin an attempt, or one rank's part of it."""
        ...

    def update(self) -> bytes:
        """What happened since the last call, as a packed WorkerUpdate. Waits as ``Handoff.take`` does.

        Raises:
            WorkerSpent: The attempt has failed, and the worker cannot be used any more.
        """
        ...

    def end(self) -> None:
        """End the attempt, if it has not ended by itself.

        Raises:
            WorkerSpent: The worker cannot be used any more.
        """
        ...

    def close(self) -> None:
        """End the attempt, and whatever serves only this worker."""
        ...
