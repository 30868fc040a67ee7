"""What a scheduler says that stops trials and neither pauses them nor tells what it knows."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary


class Stopping:
    """The parts of a scheduler that such a peer has no use for."""

    @property
    def pauses(self) -> bool:
        """It stops."""
        return False

    def bracket(self, trial: int) -> int:
        """There is one."""
        return 0

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """The peer is not told."""
        return ()

    def restore(self, trial: int, decision: Decision) -> None:
        """Nothing is resumed in a simulation."""

    def next_promotion(self, *, closing: bool) -> int | None:
        """Nothing is paused."""
        return None

    def promote(self, trial: int) -> None:
        """Nothing is paused."""

    def next_surplus(self) -> int | None:
        """Nothing is paused."""
        return None

    def release(self, trial: int) -> None:
        """Nothing is paused."""

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """Not known."""
        return None

    def table(self) -> tuple[RungSummary, ...]:
        """Not kept."""
        return ()
