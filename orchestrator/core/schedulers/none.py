"""No scheduler: every trial trains to its end."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary
from orchestrator.core.schedulers.never_pauses import NeverPauses


class NoScheduler(NeverPauses):
    """The scheduler `none`: stops no trial."""

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

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """No cutoff."""
        return None

    def table(self) -> tuple[RungSummary, ...]:
        """No rungs."""
        return ()
