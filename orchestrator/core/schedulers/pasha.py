"""PASHA: ASHA that trains longer only as long as longer training still changes the ranking.

Bohdal et al., "PASHA: Efficient HPO and NAS with Progressive Resource Allocation" (ICLR 2023). Promotion ends at a top
rung, which is the second at first. Whenever two trials there have changed places since the rung below, and not only by
noise, the next rung becomes the top. At the end of the sweep, the best trial alone trains to its end.
"""

from __future__ import annotations

import itertools
import math

from orchestrator.core.schedulers import Decision
from orchestrator.core.schedulers.asha import Asha
from orchestrator.core.schedulers.rung import Rung

NOISE_PERCENTILE = 0.9
"""Of the differences between trials that change places and change back: what is larger is not noise (section 4.2)."""


class Pasha(Asha):
    """The scheduler `pasha`.

    The noise is estimated from the losses at rungs, which is all that a resume knows; the paper uses every epoch.

    Args:
        mode, grace_period, reduction_factor, max_step, seed: As of ``Asha``.
    """

    def __init__(self, *, mode: str, grace_period: int, reduction_factor: int, max_step: int, seed: int = 0) -> None:
        super().__init__(
            mode=mode,
            grace_period=grace_period,
            reduction_factor=reduction_factor,
            max_step=max_step,
            variant="promote",
            seed=seed,
        )
        self._losses: dict[int, list[float]] = {}  # by trial, one a rung
        self._top = 1  # the level of the top rung

    def _continues(self, rung: Rung, loss: float) -> bool:
        return self._level(rung) < self._top and super()._continues(rung, loss)

    def _take(self, trial: int, rung: Rung, decision: Decision) -> None:
        super()._take(trial, rung, decision)
        if math.isfinite(decision.value):
            self._losses.setdefault(trial, []).append(self._sign * decision.value)
            if self._level(rung) == self._top and self._changes_ranking(trial):
                self._top += 1

    def next_promotion(self, *, closing: bool) -> int | None:
        """The best trial of the highest rung below the top; when closing, also the best of all beyond it."""
        for rung, level in self._highest_first:
            beyond = level >= self._top
            if not rung.paused or (beyond and (rung.passed or not closing)):
                continue
            trial = rung.promotable(closing=closing)
            if trial is not None:
                return trial
        return None

    def _level(self, rung: Rung) -> int:
        return next(level for each, level in self._highest_first if each is rung)

    def _changes_ranking(self, trial: int) -> bool:
        """Whether the trial, new at the top rung, has overtaken or was overtaken by another there."""
        noise = self._noise()
        mine = self._losses[trial]
        return any(
            (mine[-1] - other[-1]) * (mine[-2] - other[-2]) < 0 and abs(mine[-2] - other[-2]) > noise
            for other in self._at_top()
            if other is not mine
        )

    def _noise(self) -> float:
        """The difference that noise explains: between trials that change places from rung to rung and change back."""
        differences = []
        for one, two in itertools.combinations(self._at_top(), 2):
            gaps = [a - b for a, b in zip(one, two, strict=True)]
            differences += [
                abs(middle)
                for first, middle, last in zip(gaps, gaps[1:], gaps[2:], strict=False)
                if first * middle < 0 and middle * last < 0
            ]
        differences.sort()
        return differences[math.ceil(NOISE_PERCENTILE * len(differences)) - 1] if differences else 0.0

    def _at_top(self) -> list[list[float]]:
        return [losses for losses in self._losses.values() if len(losses) == self._top + 1]
