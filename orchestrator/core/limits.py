"""What ends a sweep: its budgets over all its sessions, a target, patience, and too many failures."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.formatting import count, duration

HOPELESS = 5
"""The sweep ends when this many trials failed and no trial has reported the objective: they likely share one cause."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of a sweep. None: no limit."""

    trials: int | None = None
    seconds: float | None = None  # of wall time while the sweep runs
    gpu_seconds: float | None = None  # of training, times the GPUs of a trial
    gpus_per_trial: float = 0.0  # as the spec says
    target: float | None = None  # the sweep ends once its best result is as good
    patience: int | None = None  # trials without a gain after which the sweep ends
    min_gain: float = 0.0  # the least improvement of the best result that is a gain
    failures: int | None = None  # more failed trials than this end the sweep; None: see HOPELESS
    retries: int = 0  # further attempts of a trial after failures
    max_step: int | None = None  # a trial that reaches this step is completed, even if the trainable would continue
    trial_seconds: float | None = None  # of training, after which a trial is completed in the same way
    trial_seconds_key: str = "trial.max_time"  # the key of the spec that says so

    def completes(self, step: int, train_s: float = 0.0) -> str | None:
        """Why a training is complete at a step, after seconds of training, in words; None if it is not."""
        if self.max_step is not None and step >= self.max_step:
            return f"reached the last step, {self.max_step}"
        if self.trial_seconds is not None and train_s >= self.trial_seconds:
            return f"trained for {duration(self.trial_seconds)} ({self.trial_seconds_key})"
        return None

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

    def share_used(self, seconds: float, gpu_seconds: float) -> float | None:
        """The share of the time that is used up, 0 to 1; of wall time or GPU time, the larger. None: no time is set."""
        pairs = ((seconds, self.seconds), (gpu_seconds, self.gpu_seconds))
        return max((min(1.0, used / limit) for used, limit in pairs if limit is not None), default=None)

    def out_of_patience(self, trials: int, best: float | None) -> str | None:
        """Why the number of trials since the last gain ends the sweep, in words; None if it does not.

        Args:
            trials: How many trials had a result, or diverged, since the last gain.
            best: The result of the last gain; None if there is none.
        """
        if self.patience is None or trials < self.patience:
            return None
        if best is None:
            return f"the first {count(trials, 'trial')} diverged (budget.patience)"
        if self.min_gain:
            gain = f"improved on {best:.6g} by less than {self.min_gain:g}"
        else:
            gain = f"brought no better result than {best:.6g}"
        return f"the last {count(trials, 'trial')} {gain} (budget.patience)"

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
