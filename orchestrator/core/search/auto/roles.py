"""Which trials explore. A function of (seed, trial) alone: the scheduler judges explorers among themselves."""

from __future__ import annotations

import random

EXPLORING = 0.15
"""The share of trials that explore, however long the sweep."""


def explores(seed: int, trial: int) -> bool:
    """Whether a trial explores: it is drawn from the whole space, whatever has been found."""
    return random.Random(f"{seed}/{trial}/explores").random() < EXPLORING
