"""What a sweep has used: wall time over its sessions, and training in seconds and GPU seconds."""

from __future__ import annotations

from orchestrator.core.trial import Trial


class Usage:
    """The time that one sweep has used. Times are seconds.

    Attributes:
        earlier_s: Wall time in earlier sessions.
        trained_s: Training over all trials and sessions.
        gpu_s: The training of each trial times its GPUs, summed.
    """

    def __init__(self) -> None:
        self.earlier_s = 0.0
        self.trained_s = 0.0
        self.gpu_s = 0.0
        self._began: float | None = None

    def begin(self, at: float) -> bool:
        """Begin a session, unless one has begun; whether it begins now."""
        begins = self._began is None
        if begins:
            self._began = at
        return begins

    def wall_s(self, at: float) -> float:
        """Wall time over all sessions."""
        return self.earlier_s + (0.0 if self._began is None else at - self._began)

    def train(self, trial: Trial, train_s: float) -> None:
        """Count the training of a trial up to a report or an end, which a trial may have told in part before."""
        before = trial.train_s
        trial.train(train_s)
        self.add(trial, trial.train_s - before)

    def add(self, trial: Trial, seconds: float) -> None:
        """Count further training of a trial."""
        self.trained_s += seconds
        self.gpu_s += seconds * trial.gpus
