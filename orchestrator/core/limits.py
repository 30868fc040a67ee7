"""What a sweep may use up, over all its sessions, and when it is used up."""

from __future__ import annotations

from dataclasses import dataclass

HOPELESS = 5
"""When this many trials failed and none has come to anything else, the sweep ends: they share their cause."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of a sweep. None: no limit."""

    trials: int
    seconds: float | None = None  # of wall time while it ran
    gpu_seconds: float | None = None  # of training, times the GPUs of a trial
    gpus_per_trial: float = 0.0  # as the spec says
    failures: int | None = None  # more failed trials than this end the sweep; None: only if it is hopeless
    retries: int = 0  # further attempts of a trial after a failure
    max_step: int | None = None  # a trial that gets there is completed, if the trainable would go on

    def used_up(self, seconds: float, gpu_seconds: float) -> str | None:
        """Why the sweep must end now, in words; None if there is time left.

        Args:
            seconds: Of wall time used.
            gpu_seconds: Seconds of training times GPUs, summed over trials.
        """
        if self.seconds is not None and seconds >= self.seconds:
            return f"the budget of {self.seconds / 3600:g} hours is used up"
        if self.gpu_seconds is not None and gpu_seconds >= self.gpu_seconds:
            return f"the budget of {self.gpu_seconds / 3600:g} GPU-hours is used up"
        return None

    def too_many(self, failed: int, *, hopeful: bool) -> str | None:
        """Why so many failed trials end the sweep, in words; None if they do not.

        Args:
            failed: How many.
            hopeful: Whether any trial has reported the objective.
        """
        if self.failures is not None and failed > self.failures:
            trials = "trial" if failed == 1 else "trials"
            return f"{failed} {trials} failed; at most {self.failures} may (budget.max_failures)"
        if self.failures is None and failed >= HOPELESS and not hopeful:
            return f"the first {failed} trials all failed"
        return None
