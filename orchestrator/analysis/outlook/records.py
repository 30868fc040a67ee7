"""How likely further trials beat the best one, by when the best ones came (docs/decisions/0012-outlook-by-records.md).

In the F-alpha model of records (Yang 1975, "On the distribution of the inter-record times in an increasing
population"; Nevzorov 1988, "Records", section 5), the i-th trial is as good as the best of a_i draws from one
distribution. Whether it is the best so far is then independent of the earlier trials, with the probability
a_i / (a_1 + … + a_i), whatever the distribution. Here a_1 + … + a_i = i ** pace: with pace 1 the trials are draws from
one distribution, as in a random search; above 1 the proposals improve with time, below 1 they fall behind, as in a
search that has found what it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PRIOR = (0.2, 0.7)
"""Mean and standard deviation of the logarithm of the pace before any result: searches learn, but not by how much."""

PACES = 41
"""Paces that are weighed against each other."""

RECENT = 0.5
"""Whether the i-th of n trials was the best so far counts (i / n) ** RECENT times: early on, little was known."""

SHARE, FEWEST, MOST = 0.1, 5, 30
"""When the best of all came counts for this share of the trials, for so many at least and at most."""


class Paces:
    """What the results say of the pace.

    Attributes:
        values: Paces, of shape (p,).
        weights: Their posterior probabilities, of shape (p,).
    """

    def __init__(self, losses: np.ndarray) -> None:
        """Weigh the paces.

        Args:
            losses: Results in the order in which the trials ended, lower is better, of shape (n,) with n of at least
                FEWEST; infinite for trials that diverged.
        """
        import numpy as np

        mean, deviation = PRIOR
        logs = np.linspace(mean - 3 * deviation, mean + 3 * deviation, PACES)
        self.values = np.exp(logs)
        self._trials = len(losses)
        posterior = self._records(losses) + self._best_of_all(losses) - ((logs - mean) / deviation) ** 2 / 2
        self.weights = np.exp(posterior - posterior.max())
        self.weights /= self.weights.sum()

    def odds(self, more: int) -> np.ndarray:
        """The odds of a new best among so many more trials, for each pace, of shape (p,)."""
        import numpy as np

        growth: np.ndarray = np.expm1(self.values * np.log1p(more / self._trials))
        return growth

    def _records(self, losses: np.ndarray) -> np.ndarray:
        """The log-likelihood of which trials were the best so far, for each pace."""
        import numpy as np

        best = np.minimum.accumulate(losses)
        trial = np.arange(2, len(losses) + 1)
        stands = self.values[:, None] * np.log1p(-1 / trial)  # log of the probability that the best stands
        with np.errstate(divide="ignore"):
            each = np.where(best[1:] < best[:-1], np.log(-np.expm1(stands)), stands)
        found: np.ndarray = each @ (trial / len(losses)) ** RECENT
        return found

    def _best_of_all(self, losses: np.ndarray) -> np.ndarray:
        """The log-likelihood of when the best of all trials came, for each pace: each at i with a_i / n ** pace."""
        import numpy as np

        count = min(len(losses), max(FEWEST, min(MOST, round(SHARE * len(losses)))))
        when = (np.argsort(losses, kind="stable")[:count] + 0.5) / len(losses)
        found: np.ndarray = count * np.log(self.values) + (self.values - 1) * np.log(when).sum()
        return found
