"""Which trial is the best so far, and which is the best of those whose result stands.

A trial that leads may diverge later, or become worse where its last report counts (``objective.at: last``). What has
settled cannot: so it alone decides which stopped trials can be forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from orchestrator.core.trial import Trial


class Standings:
    """The best trials of one sweep, the first of equals; none that diverged or failed.

    Attributes:
        best: The best trial, running ones included; None before the first result.
        leaders: The best trials that completed or were stopped, the best first.
    """

    def __init__(self, trials: Sequence[Trial], *, leaders: int = 1) -> None:
        """
        Args:
            trials: All trials of the sweep; the sequence may grow.
            leaders: How many trials lead.
        """
        self.best: Trial | None = None
        self.leaders: list[Trial] = []
        self._most_leaders = leaders
        self._trials = trials
        self._unsettled: dict[int, Trial] = {}  # those with a result that may still change
        self._best_loss = math.inf  # of the best, when it was updated last

    @property
    def settled(self) -> Trial | None:
        """The best trial that completed or was stopped; None before the first."""
        return self.leaders[0] if self.leaders else None

    @property
    def to_beat(self) -> float:
        """The loss of the last leader; a stopped trial with a higher one can never lead. Infinity while others can."""
        return math.inf if len(self.leaders) < self._most_leaders else _loss(self.leaders[-1])

    def update(self, trial: Trial) -> None:
        """Take note that a trial's result or state has changed."""
        if trial.judged and trial.state.settled:
            others = (each for each in self.leaders if each is not trial)
            self.leaders = sorted((*others, trial), key=_rank)[: self._most_leaders]
        if trial.judged and not trial.state.settled:
            self._unsettled[trial.number] = trial
        else:
            self._unsettled.pop(trial.number, None)
        if trial is self.best and not (trial.judged and _loss(trial) <= self._best_loss):  # it may lead no longer
            self.best = best_of((self.settled, *self._unsettled.values()))
        else:
            self.best = best_of((self.best, trial))
        self._best_loss = math.inf if self.best is None else _loss(self.best)

    def rebuild(self) -> None:
        """Look at all trials again, after a resume has changed what has settled."""
        self.best = None
        self.leaders.clear()
        self._unsettled.clear()
        for trial in self._trials:
            self.update(trial)


def best_of(trials: Iterable[Trial | None]) -> Trial | None:
    """The trial with the best result, the first of equals; None if none is judged."""
    judged = (trial for trial in trials if trial is not None and trial.judged)
    return min(judged, key=_rank, default=None)


def _rank(trial: Trial) -> tuple[float, int]:
    return _loss(trial), trial.number


def _loss(trial: Trial) -> float:
    assert trial.result is not None
    return trial.objective.loss(trial.result)
