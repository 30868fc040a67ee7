"""What a trial is for. A function of (seed, trial) alone, so that the search and the scheduler agree."""

from __future__ import annotations

import random
from enum import IntEnum

EXPLORING = 0.15
"""The share of trials that explore, however long the sweep."""

PATIENT = 0.25
"""The share of explorers that skip the first rungs."""


class Role(IntEnum):
    """What a trial is for. Trials of a role are judged among themselves: the value is their bracket."""

    MEMBER = 0  # proposed by a member of the portfolio
    EXPLORER = 1  # drawn from the whole space, whatever has been found
    PATIENT = 2  # an explorer that skips the first rungs, so that what begins slowly is seen, too


def role(seed: int, trial: int) -> Role:
    """What a trial is for."""
    if _draw(seed, trial, "explores") >= EXPLORING:
        return Role.MEMBER
    return Role.PATIENT if _draw(seed, trial, "late") < PATIENT else Role.EXPLORER


def explores(seed: int, trial: int) -> bool:
    """Whether a trial is an explorer, patient or not."""
    return role(seed, trial) is not Role.MEMBER


def _draw(seed: int, trial: int, what: str) -> float:
    return random.Random(f"{seed}/{trial}/{what}").random()
