"""What further trials would bring: how likely a better result is, and by how much better it would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.analysis.outlook.records import Paces
from orchestrator.analysis.outlook.tail import Tail

if TYPE_CHECKING:
    import numpy as np

MORE = (10, 40, 100)
"""Numbers of further trials that are looked at."""

FEWEST = 15
"""The fewest trials with a result from which there is an outlook."""

COMPARABLE = 3
"""The fewest results of full trainings by which gains are judged."""

GAINS = 100
"""Gains at which their distribution is evaluated."""

SURVIVALS = 200
"""Survival probabilities at which the mixture over paces is tabulated."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What some further trials would bring. Gains are in the units of the objective, above 0."""

    trials: int  # further ones, with a result
    chance: float  # of a better result than the best one
    low: float  # if there is a better result, it is better by this with a probability of 9 in 10,
    gain: float  # of 1 in 2,
    high: float  # of 1 in 10


def outlooks(losses: np.ndarray, more: Sequence[int] = MORE, in_full: np.ndarray | None = None) -> list[Outlook]:
    """What further trials would bring, for each number of them; none if there are too few results.

    Args:
        losses: Results in the order in which the trials ended, lower is better, of shape (n,); infinite for trials that
            diverged.
        more: Numbers of further trials.
        in_full: Which trials trained to their end, of shape (n,). Gains are judged by these: results of shorter
            trainings are further apart. None, or fewer than COMPARABLE: all did.
    """
    import numpy as np

    finite = losses[np.isfinite(losses)]
    if len(finite) < FEWEST or np.ptp(finite) == 0:
        return []
    comparable = finite if in_full is None else losses[(in_full | (losses == finite.min())) & np.isfinite(losses)]
    if len(comparable) < COMPARABLE or np.ptp(comparable) == 0:
        comparable = finite
    paces, tail = Paces(losses), Tail(comparable)
    gains = np.append(0.0, tail.gains(GAINS))
    survival = tail.survival(gains)
    return [_outlook(trials, paces, tail, gains, survival) for trials in more]


def _outlook(trials: int, paces: Paces, tail: Tail, gains: np.ndarray, survival: np.ndarray) -> Outlook:
    """Mix over paces and tails: P(gain > z) = odds · survival(z) / (1 + odds · survival(z))."""
    import numpy as np

    grid = np.append(0.0, np.geomspace(1e-6, 1.0, SURVIVALS))
    scaled = paces.odds(trials)[:, None] * grid
    mixed = paces.weights @ (scaled / (1 + scaled))
    beyond = np.interp(survival, grid, mixed) @ tail.weights
    chance = float(beyond[0])
    low, gain, high = (float(np.interp(-share * chance, -beyond, gains)) for share in (0.9, 0.5, 0.1))
    return Outlook(trials=trials, chance=chance, low=low, gain=gain, high=high)
