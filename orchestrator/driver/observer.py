"""Who watches a sweep while it runs: a terminal, a notebook, a program that reads JSON, or nobody."""

from __future__ import annotations

from typing import Protocol

from orchestrator.core.sweep import Sweep

RECORDS = "the records"
CHECKPOINTS = "checkpoints"
RAY = "Ray"
FREE_RESOURCES = "free resources"
SILENT_TRIALS = "silent trials"
STOPPING = "the end"
"""The subjects of trouble: what cannot be written, and what is waited for. After RAY, the process ends."""


class Observer(Protocol):
    """Shows a running sweep, and reports trouble."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Show the sweep. Called some ten times a second, with the time in seconds since the epoch."""
        ...

    def trouble(self, what: str, why: str | None) -> None:
        """Report trouble. Called once when the trouble begins and once when it is over.

        Args:
            what: One of the subjects above.
            why: What is wrong, and what that means for the sweep; None: the trouble is over.
        """
        ...


class NoObserver:
    """Nobody watches."""

    def show(self, sweep: Sweep, now: float) -> None:
        """Does nothing."""

    def trouble(self, what: str, why: str | None) -> None:
        """Does nothing."""


class CheckpointTrouble:
    """Tells an observer that checkpoints cannot be written: once, not once per trial."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._trials: set[int] = set()  # trials whose last update reported trouble

    def update(self, trial: int, why: str, *, returned: bool) -> None:
        """Take the state of a trial's checkpoints.

        Args:
            trial: The number of the trial.
            why: Why its checkpoints cannot be written; "" if they are written.
            returned: Whether the trainable has returned, with its last checkpoint written.
        """
        before = bool(self._trials)
        if why:
            self._trials.add(trial)
            if not before:
                self._observer.trouble(
                    CHECKPOINTS, f"{CHECKPOINTS} cannot be written: {why}; training and recording continue"
                )
            return
        if returned:
            self._trials.clear()  # trials that were stopped send no further update
        self._trials.discard(trial)
        if before and not self._trials:
            self._observer.trouble(CHECKPOINTS, None)
