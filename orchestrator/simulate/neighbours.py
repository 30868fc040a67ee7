"""Curves of configurations that were not trained, from those that were: the nearest trained ones, averaged.

A curve that was cut off is continued first: step by step it follows the mean change of the nearest curves that are long
enough. A prediction is the weighted mean of the nearest curves, so it is never better than the best of them: a search
is not rewarded for leaving what is known. What was cut off was worse than what went on, so continued curves look a
little better than they would have been.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import Config
from orchestrator.space.choices import Choice
from orchestrator.space.space import Space
from orchestrator.space.values import canonical_json

if TYPE_CHECKING:
    import numpy as np

NEAREST = 5
"""How many curves are averaged."""

CLOSE = 0.05
"""Added to distances, in units of a parameter's range, so that the very nearest does not count alone."""

CHECKED = 200
"""The most curves that are predicted from the others to see how far predictions can be trusted."""


@dataclass(frozen=True, kw_only=True)
class KnownCurve:
    """What was recorded of a trial.

    Attributes:
        trial: Its number.
        config: Its configuration.
        seconds: Of training up to each of the steps 1, 2, …
        values: The objective at these steps.
        failed: What the training failed with, if it reported nothing; "" if it did not.
        diverged: Whether the objective left its bounds after the last of these steps.
    """

    trial: int
    config: Config
    seconds: np.ndarray
    values: np.ndarray
    failed: str = ""
    diverged: bool = False


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How well recorded curves are predicted from the others.

    Attributes:
        curves: How many were predicted.
        rank_correlation: Spearman's, of predicted and recorded results; None if there are too few.
        error: The median difference between them.
    """

    curves: int
    rank_correlation: float | None
    error: float


class NeighbourCurves:
    """A function from configurations to curves.

    Args:
        space: The space that distances are measured in.
        curves: Of trials in it. One that failed has no steps.
        metric: The name of the objective.

    Attributes:
        exact: How many configurations were asked for that had been trained.
        predicted: How many had not.
    """

    def __init__(self, space: Space, curves: Sequence[KnownCurve], metric: str) -> None:
        import numpy as np

        self.exact = self.predicted = 0
        self._space = space
        self._curves = curves
        self._metric = metric
        self._words = np.array(
            [isinstance(each, Choice) and not each.ordered for each in space.parameters.values()], dtype=bool
        )
        self._points = np.array([self._point(curve.config) for curve in curves])
        self._lengths = np.array([len(curve.values) for curve in curves])
        self._steps = int(self._lengths.max())
        whole = [self._continued(at) for at in range(len(curves))]
        self._seconds = np.array([seconds for seconds, _ in whole])
        self._values = np.array([values for _, values in whole])
        self._known = {canonical_json(space.canonical(curve.config)): at for at, curve in enumerate(curves)}

    def __call__(self, config: Mapping[str, Any]) -> Mapping[str, np.ndarray]:
        """The curve of a configuration, as long as the longest.

        Raises:
            RuntimeError: The nearest training failed.
        """
        own = {name: config[name] for name in self._space.parameters if name in config}
        known = self._known.get(canonical_json(own))
        if known is None:
            self.predicted += 1
        else:
            self.exact += 1
        seconds, values = self._predict(own, known)
        return {"elapsed": seconds, self._metric: values}

    def trust(self) -> Trust:
        """Predict each recorded result from the other curves."""
        import numpy as np
        from scipy.stats import spearmanr

        able = np.flatnonzero(self._lengths > 0)
        stride = max(1, len(able) // CHECKED)
        predicted, recorded = [], []
        for at in able[::stride] if len(able) > 1 else ():
            distances = self._distances(self._points[at])
            distances[at] = np.inf
            nearest, weights = self._nearest(distances, 1)
            last = self._lengths[at] - 1
            predicted.append(float(weights @ self._values[nearest, last]))
            recorded.append(float(self._curves[at].values[-1]))
        some = len(recorded) > 2 and len(set(recorded)) > 1 and len(set(predicted)) > 1
        return Trust(
            curves=len(recorded),
            rank_correlation=float(spearmanr(predicted, recorded).statistic) if some else None,
            error=statistics.median(abs(a - b) for a, b in zip(predicted, recorded, strict=True)) if recorded else 0.0,
        )

    def _predict(self, config: Mapping[str, Any], known: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Seconds and values."""
        import numpy as np

        distances = self._distances(self._point(config))
        at = int(np.argmin(distances)) if known is None else known
        like = self._curves[at]
        if like.failed:
            raise RuntimeError(f"as trial {like.trial}: {like.failed}")
        if known is None:
            nearest, weights = self._nearest(distances, 1)
            seconds, values = weights @ self._seconds[nearest], weights @ self._values[nearest]
        else:
            seconds, values = self._seconds[at], self._values[at].copy()
        if like.diverged:
            values[min(len(like.values), len(values) - 1) :] = np.nan
        return seconds, values

    def _continued(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """A recorded curve as long as the longest: after its end come the changes of the nearest that have them."""
        import numpy as np

        own = self._curves[at]
        if own.failed:
            return np.zeros(self._steps), np.zeros(self._steps)
        distances = self._distances(self._points[at])
        parts = [[own.seconds], [own.values]]
        while (begun := sum(map(len, parts[0]))) < self._steps:
            nearest, weights = self._nearest(distances, begun + 1)
            until = int(self._lengths[nearest].min())
            for part, which in zip(parts, ("seconds", "values"), strict=True):
                changes = np.array([np.diff(getattr(self._curves[i], which)[begun - 1 : until]) for i in nearest])
                part.append(part[-1][-1] + np.cumsum(weights @ changes))
        return np.concatenate(parts[0]), np.concatenate(parts[1])

    def _nearest(self, distances: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest curves with so many steps, and their weights."""
        import numpy as np

        able = np.flatnonzero((self._lengths >= length) & np.isfinite(distances))
        at = able[np.argsort(distances[able], kind="stable")[:NEAREST]]
        weights = 1 / (distances[at] + CLOSE)
        return at, weights / weights.sum()

    def _distances(self, point: np.ndarray) -> np.ndarray:
        """Euclidean, in the unit cube: two different words are 1 apart, and so is a parameter that only one has."""
        import numpy as np

        apart = np.abs(self._points - point)
        apart = np.where(self._words, apart > 0, apart)
        only_one = np.isnan(self._points) != np.isnan(point)
        apart = np.where(only_one, 1.0, np.nan_to_num(apart))
        distances: np.ndarray = np.sqrt((apart**2).sum(axis=1))
        return distances

    def _point(self, config: Mapping[str, Any]) -> np.ndarray:
        """The coordinates; NaN where the configuration has no value in the space."""
        import numpy as np

        return np.array(
            [
                each.to_unit(config[name]) if name in config and each.contains(config[name]) else np.nan
                for name, each in self._space.parameters.items()
            ]
        )
