"""What schedulers have in common that let a trial continue or stop it, and pause none."""

from __future__ import annotations


class NeverPauses:
    """The part of a scheduler about paused trials and brackets: none is paused, and there is one bracket."""

    @property
    def pauses(self) -> bool:
        """Trials are not paused."""
        return False

    def bracket(self, trial: int) -> int:
        """Every trial is in bracket 0."""
        return 0

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
