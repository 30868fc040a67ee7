"""The budgets of a sweep over all its sessions, and when they are used up."""

from __future__ import annotations

from dataclasses import dataclass

HOPELESS = 5
"""The sweep ends when this many trials failed and no trial has reported the objective: they likely share one cause."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of a sweep. None: no limit."""

    trials: int
    seconds: float | None = None  # of wall time while the sweep runs
    gpu_seconds: float | None = None  # of training, times the GPUs of a trial
    gpus_per_trial: float = 0.0  # as the spec says
    failures: int | None = None  # more failed trials than this end the sweep; None: see HOPELESS
    retries: int = 0  # further attempts of a trial after failures
    max_step: int | None = None  # a trial that reaches this step is completed, even if the trainable would continue

    def used_up(self, seconds: float, gpu_seconds: float) -> str | None:
        """Which budget is used up, in words; None if none is.

        Args:
            seconds: Seconds of wall time so far.
            gpu_seconds: Seconds of training times GPUs, summed over trials.
        """
        if self.seconds is not None and seconds >= self.seconds:
            return f"the budget of {self.seconds / 3600:g} hours is used up"
        if self.gpu_seconds is not None and gpu_seconds >= self.gpu_seconds:
            return f"the budget of {self.gpu_seconds / 3600:g} GPU-hours is used up"
        return None

    def too_many(self, failed: int, *, hopeful: bool) -> str | None:
        """Why the number of failed trials ends the sweep, in words; None if it does not.

        Args:
            failed: The number of failed trials.
            hopeful: Whether any trial has reported the objective.
        """
        if self.failures is not None and failed > self.failures:
            trials = "trial" if failed == 1 else "trials"
            return f"{failed} {trials} failed; budget.max_failures allows {self.failures}"
        if self.failures is None and failed >= HOPELESS and not hopeful:
            return f"the first {failed} trials all failed"
        return None
