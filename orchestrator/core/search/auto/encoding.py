"""Configurations as points of the unit cube, and as features whose Euclidean distance a model can use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.rows import Config

if TYPE_CHECKING:
    from orchestrator.space.distribution import Distribution
    from orchestrator.space.space import Space

Array = NDArray[np.float64]
Indices = NDArray[np.int_]

FINEST = 64
"""A number with more values than this is treated as continuous."""


class Encoding:
    """Translates between configurations, points [parameters] and features [features].

    A point has one coordinate in [0, 1) for each parameter, as ``Space.from_unit`` takes it. Features are:

    - of a number, or of ordered options: the coordinate, moved to the middle of its value;
    - of unordered options: one column an option, so that any two of them have the distance 1;
    - of a parameter with a condition: one column more, 1 where it is active; its other columns are constant where not.

    Attributes:
        groups: The parameter of each feature, [features]: features of one parameter share a length scale.
        options: For each parameter, its number of unordered options, 0 if it has an order.
        unordered: The parameters with unordered options.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._parameters = list(space.parameters.values())
        self._names = list(space.parameters)
        self._conditional = [name in space.conditions for name in self._names]
        named = {name for condition in space.conditions.values() for name in condition.names}
        self._deciding = [self._names.index(name) for name in space.order if name in named]
        self.options = [_unordered(distribution) for distribution in self._parameters]
        self.unordered = [at for at, options in enumerate(self.options) if options]
        self._edges = [_edges(distribution) for distribution in self._parameters]
        self._centres = [_centres(distribution) for distribution in self._parameters]
        groups: list[int] = []
        for at, (options, conditional) in enumerate(zip(self.options, self._conditional, strict=True)):
            groups += [at] * (max(1, options) + conditional)
        self.groups = np.array(groups)

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return len(self._names)

    def point(self, config: Config) -> Array:
        """The point of a configuration, [parameters]; 0.5 for a parameter that is not active."""
        return np.array(
            [
                min(distribution.to_unit(config[name]), 1 - 1e-12) if name in config else 0.5
                for name, distribution in zip(self._names, self._parameters, strict=True)
            ]
        )

    def config(self, point: Sequence[float] | Array) -> Config:
        """The configuration at a point, its values snapped."""
        return self._space.from_unit([float(min(max(u, 0.0), 1 - 1e-12)) for u in point])

    def features(self, points: Array) -> Array:
        """The features of points [n, parameters]: [n, features]."""
        active = self.active(points)
        columns: list[Array] = []
        for at, (options, centres) in enumerate(zip(self.options, self._centres, strict=True)):
            u = points[:, at]
            if options:
                block = np.eye(options)[self.option(at, u)] * np.sqrt(0.5)
            else:
                block = (u if centres is None else _nearest(centres, u))[:, None]
            if self._conditional[at]:
                on = active[:, at][:, None]
                block = np.hstack([np.where(on, block, 0.5), on])
            columns.append(block)
        return np.hstack(columns)

    def option(self, parameter: int, u: Array) -> Indices:
        """Which of its unordered options a parameter has at coordinates in [0, 1)."""
        edges, options = self._edges[parameter], self.options[parameter]
        chosen: Indices = (u * options).astype(int) if edges is None else np.searchsorted(edges, u, side="right")
        return np.asarray(np.minimum(chosen, options - 1))

    def active(self, points: Array) -> NDArray[np.bool_]:
        """Which parameters are active at points [n, parameters]: bool [n, parameters]."""
        active = np.ones(points.shape, dtype=bool)
        conditional = np.flatnonzero(self._conditional)
        for row, point in enumerate(points if len(conditional) else ()):
            config: Config = {}
            for at in self._deciding:
                if self._space.is_active(self._names[at], config):
                    config[self._names[at]] = self._parameters[at].from_unit(float(point[at]))
            active[row, conditional] = [self._space.is_active(self._names[at], config) for at in conditional]
        return active


def _unordered(distribution: Distribution) -> int:
    options = distribution.values()
    if distribution.numeric is not None or options is None or len(options) < 2:
        return 0
    ordered = getattr(distribution, "ordered", distribution.kind in ("int", "float"))
    return 0 if ordered else len(options)


def _edges(distribution: Distribution) -> Array | None:
    edges = getattr(distribution, "edges", None)
    return None if edges is None else np.array(edges)


def _centres(distribution: Distribution) -> Array | None:
    values = distribution.values()
    if values is None or len(values) > FINEST:
        return None
    return np.array([distribution.to_unit(value) for value in values])


def _nearest(centres: Array, u: Array) -> Array:
    edges = (centres[1:] + centres[:-1]) / 2
    return centres[np.searchsorted(edges, u)]
