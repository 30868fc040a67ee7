"""No scheduler: every trial trains to its end."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary


class NoScheduler:
    """Stops nobody."""

    def bracket(self, trial: int) -> int:
        """Everyone is in bracket 0."""
        return 0

    def rungs(self, trial: int) -> tuple[int, ...]:
        """There are none."""
        return ()

    def report(self, trial: int, step: int, value: float) -> tuple[Decision, ...]:
        """Nothing to decide."""
        return ()

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Nothing to enter."""
        return ()

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """There is none."""
        return None

    def table(self) -> tuple[RungSummary, ...]:
        """Empty."""
        return ()
