"""Seeds the random generators that a trial may use, including those of libraries that the trial imports later."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import partial

from trainables.process import on_import

_SEEDERS: dict[str, Callable[[int], object]] = {
    "numpy": lambda seed: sys.modules["numpy"].random.seed(seed),
    "torch": lambda seed: sys.modules["torch"].manual_seed(seed),
}


def seed_all(seed: int) -> None:
    """Seed random, and numpy's and torch's global generators (all devices), now or when they are imported.

    Args:
        seed: In [0, 2**32).
    """
    random.seed(seed)
    for library, seeder in _SEEDERS.items():
        on_import.do(library, "seed", partial(seeder, seed))
