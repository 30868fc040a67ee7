"""The audit of early stopping: a random share of the trials that would be cut runs on to the end.

Only so can be known how often a cut is wrong: what became of the others, nobody has seen. An audited trial enters no
further rung, so that the audit changes no decision about another trial.
"""

from __future__ import annotations

import random


class Audit:
    """Which trials are audited.

    Attributes:
        running_on: Trials that were cut, and run on.
    """

    def __init__(self, share: float = 0.0, seed: int = 0) -> None:
        """
        Args:
            share: Of the trials that would be cut, 0 to 1.
            seed: The seed of the sweep.
        """
        self.running_on: set[int] = set()
        self._share = share
        self._seed = seed

    def picks(self, trial: int) -> bool:
        """Whether a trial runs on if it is cut: drawn by (seed, trial), so that no result has a say."""
        return self._share > 0 and random.Random(f"{self._seed}/{trial}/audit").random() < self._share
