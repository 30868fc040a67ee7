"""The learning rate of each update, as a factor of ``lr``."""

from __future__ import annotations

import math
from typing import Literal, get_args

ScheduleName = Literal["constant", "cosine", "one_cycle"]
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)

RISE = 0.3
"""The share of the updates in which one_cycle rises if no warm-up is given."""

START = 1 / 25
"""Where one_cycle starts."""

LAST = 1e-4
"""Where one_cycle ends."""


def lr_factor(schedule: ScheduleName, update: int, updates: int, *, warmup: float = 0.0) -> float:
    """The factor of the learning rate in one update.

    ``constant`` stays at 1, and ``cosine`` falls from 1 to 0 along half a cosine (Loshchilov and Hutter 2017, SGDR,
    section 3, without restarts), both after a warm-up that rises in proportion to the updates (Goyal et al. 2017,
    section 2.2). ``one_cycle`` rises from 1/25 to 1 in the warm-up and falls to 1e-4, both along half a cosine
    (Smith and Topin 2018, section 3, as fastai shapes it); momentum stays as it is.

    Args:
        schedule: One of the three.
        update: The number of the update, from 0.
        updates: How many a whole training has.
        warmup: The share of the updates in which the rate rises, in [0, 1].
    """
    if schedule == "one_cycle":
        rising = (warmup or RISE) * updates
        if update < rising:
            return START + (1 - START) * _half_cosine(1 - update / rising)
        return LAST + (1 - LAST) * _half_cosine((update - rising) / max(1.0, updates - rising))
    rising = warmup * updates
    if update < rising:
        return (update + 1) / (math.floor(rising) + 1)
    return 1.0 if schedule == "constant" else _half_cosine((update - rising) / max(1.0, updates - rising))


def _half_cosine(progress: float) -> float:
    """Falls from 1 to 0 as the progress goes from 0 to 1."""
    return (1 + math.cos(math.pi * min(1.0, progress))) / 2
