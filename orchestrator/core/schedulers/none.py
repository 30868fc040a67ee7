"""No scheduler: every trial trains to its end."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary


class NoScheduler:
    """The scheduler `none`: stops no trial."""

    @property
    def pauses(self) -> bool:
        """No trial is paused."""
        return False

    def bracket(self, trial: int) -> int:
        """Every trial is in bracket 0."""
        return 0

    def rungs(self, trial: int) -> tuple[int, ...]:
        """No rungs."""
        return ()

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """No decisions."""
        return ()

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """No rung to enter."""
        return ()

    def restore(self, trial: int, decision: Decision) -> None:
        """No rung to enter."""

    def next_promotion(self, *, closing: bool) -> int | None:
        """No trial is paused."""
        return None

    def promote(self, trial: int) -> None:
        """No trial is paused."""

    def next_surplus(self) -> int | None:
        """No trial is paused."""
        return None

    def release(self, trial: int) -> None:
        """No trial is paused."""

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """No cutoff."""
        return None

    def table(self) -> tuple[RungSummary, ...]:
        """No rungs."""
        return ()
