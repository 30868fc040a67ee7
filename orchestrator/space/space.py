"""The search space: distributions, the conditions under which they are active, and constraints.

Search methods and checks share this one class, so that all of them agree on what is active, feasible and equal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from orchestrator.expressions.expression import Expression
from orchestrator.formatting import shown
from orchestrator.space.distribution import Distribution
from orchestrator.space.values import Config, canonical_json
from orchestrator.suggestions import Allowed, did_you_mean


class CycleError(ValueError):
    """Conditions that depend on each other; ``names`` is the cycle, with its start repeated at the end."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__("conditions form a cycle: " + " → ".join(names))


class Space:
    """The parameters in the order of the spec, their conditions, and the constraints.

    A parameter is *active* in a configuration if it has no ``when``, or if everything its ``when`` names is
    active and the condition holds. An inactive one is absent from the configuration.

    Attributes:
        parameters: Distributions by name, in the order of the spec, which is also the order of a point's coordinates.
        fixed: The values that are the same in every configuration. Expressions can use them; configurations do
            not contain them.
        order: The names, each after those that it depends on.
    """

    def __init__(
        self,
        parameters: Mapping[str, Distribution],
        constraints: Sequence[str] = (),
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """Parse every expression.

        Raises:
            ExpressionError: A condition or constraint is not an expression, or uses an unknown name.
            CycleError: Conditions depend on each other in a cycle.
        """
        self.parameters = dict(parameters)
        self.fixed = dict(fixed or {})
        names = [*self.parameters, *self.fixed]
        self.conditions = {
            name: Expression.parse(distribution.when, names)
            for name, distribution in self.parameters.items()
            if distribution.when is not None
        }
        self.constraints = tuple(Expression.parse(text, names) for text in constraints)
        needs = {name: condition.names & self.parameters.keys() for name, condition in self.conditions.items()}
        self.order = evaluation_order(list(self.parameters), needs)

    def from_unit(self, point: Sequence[float]) -> Config:
        """The configuration at a point of the unit cube: one coordinate per parameter, in the order of the spec.

        Raises:
            EvaluationError: A condition cannot be evaluated for these values.
        """
        coordinates = dict(zip(self.parameters, point, strict=True))
        return self.draw(lambda name, distribution: distribution.from_unit(coordinates[name]))

    def sample(self, rng: random.Random) -> Config:
        """A random configuration, from one random number per parameter, active or not."""
        return self.from_unit([rng.random() for _ in self.parameters])

    def draw(self, suggest: Callable[[str, Distribution], Any]) -> Config:
        """Call ``suggest`` for each active parameter, parameters that others depend on first (define-by-run)."""
        config: Config = {}
        for name in self.order:
            if self.is_active(name, config):
                distribution = self.parameters[name]
                config[name] = distribution.snap(suggest(name, distribution))
        return self._written(config)

    def canonical(self, config: Mapping[str, Any]) -> Config:
        """A user's configuration in the form of a drawn one: in the order of the spec, and 1 as 1.0 for floats."""
        return {name: self.parameters[name].snap(config[name]) for name in self.parameters if name in config}

    def key(self, config: Mapping[str, Any]) -> str:
        """A text that is the same for two configurations if and only if they are equal."""
        return canonical_json({**config, **self.canonical(config)})

    @property
    def has_priors(self) -> bool:
        """Whether the user has guessed a good value of some parameter."""
        return any(distribution.prior is not None for distribution in self.parameters.values())

    def prior_config(self) -> Config:
        """The configuration of the user's guesses, other parameters in the middle. It may violate a constraint."""
        return self.draw(lambda _, each: each.from_unit(0.5) if each.prior is None else each.prior)

    def sample_near_prior(self, rng: random.Random, width: float) -> Config:
        """A random configuration around the user's guesses; other parameters are drawn as usual.

        A number or an ordered option comes from a normal distribution around its prior, cut off at the ends of the
        parameter. Of options without order, the prior is drawn with the probability 1 - ``width``, else any.

        Args:
            rng: Gives one random number per parameter, active or not, and a second one for each that has a prior.
            width: The standard deviation as a share of the parameter's quantiles, in (0, 1].
        """
        draws = {
            name: (rng.random(), 0.0 if each.prior is None else rng.random()) for name, each in self.parameters.items()
        }
        return self.draw(lambda name, each: _near_prior(each, *draws[name], width))

    def feasible(self, config: Mapping[str, Any]) -> bool:
        """Whether every constraint holds. A constraint that uses an inactive parameter holds.

        Raises:
            EvaluationError: A constraint cannot be evaluated for these values.
        """
        return all(self.holds(constraint, config) for constraint in self.constraints)

    def holds(self, constraint: Expression, config: Mapping[str, Any]) -> bool:
        """Whether one constraint holds, as it does if it uses an inactive parameter."""
        values = {**self.fixed, **config}
        return not constraint.names <= values.keys() or constraint.evaluate(values)

    def cells(self) -> Iterator[Config] | None:
        """Every feasible configuration once, the last parameter varying fastest; None if there are infinitely many.

        A parameter that an earlier one depends on varies as if it came before that one.
        """
        values = {name: distribution.values() for name, distribution in self.parameters.items()}
        if any(each is None for each in values.values()):
            return None
        return (self._written(cell) for cell in self._combinations(values, {}, 0) if self.feasible(cell))

    def _combinations(self, values: Mapping[str, Any], config: Config, depth: int) -> Iterator[Config]:
        if depth == len(self.order):
            yield config
            return
        name = self.order[depth]
        if not self.is_active(name, config):
            yield from self._combinations(values, config, depth + 1)
            return
        for value in values[name]:
            yield from self._combinations(values, {**config, name: value}, depth + 1)

    def mistakes_in(self, config: Mapping[str, Any]) -> list[tuple[str, str, Allowed]]:
        """The mistakes in a user's configuration, each as (name, or "" for a constraint; problem; what is allowed).

        Raises:
            EvaluationError: A condition or a constraint cannot be evaluated for these values.
        """
        problems: list[tuple[str, str, Allowed]] = [
            (name, f"unknown parameter {name!r}", did_you_mean(name, self.parameters))
            for name in config
            if name not in self.parameters
        ]
        sound: Config = {}
        for name in self.order:
            problem = self._problem(name, config, sound)
            if problem is not None:
                problems.append((name, *problem))
            elif name in config:
                sound[name] = config[name]
        if not problems:
            problems = [
                ("", f"violates the constraint {constraint.text!r}", "")
                for constraint in self.constraints
                if not self.holds(constraint, sound)
            ]
        return problems

    def _problem(self, name: str, config: Mapping[str, Any], sound: Config) -> tuple[str, Allowed] | None:
        distribution = self.parameters[name]
        condition = self.conditions.get(name)
        if condition is not None and condition.names & config.keys() - sound.keys():
            return None  # the condition depends on a value that is itself a mistake
        if not self.is_active(name, sound):
            return (f"{name} does not apply here", f"only when {distribution.when}") if name in config else None
        if name not in config:
            return f"no value for {name}", distribution.allowed()
        if not distribution.contains(config[name]):
            return f"{shown(config[name])} is not in the space", distribution.allowed(config[name])
        return None

    def is_active(self, name: str, config: Mapping[str, Any]) -> bool:
        """Whether a parameter applies, given the values of those that it depends on."""
        condition = self.conditions.get(name)
        if condition is None:
            return True
        values = {**self.fixed, **config}
        return condition.names <= values.keys() and condition.evaluate(values)

    def _written(self, config: Config) -> Config:
        return {name: config[name] for name in self.parameters if name in config}


def _near_prior(distribution: Distribution, place: float, chance: float, width: float) -> Any:
    prior = distribution.prior
    if prior is None:
        return distribution.from_unit(place)
    if not getattr(distribution, "ordered", True):
        return prior if chance >= width else distribution.from_unit(place)
    bell = NormalDist(distribution.to_unit(distribution.snap(prior)), width)
    low, high = bell.cdf(0.0), bell.cdf(1.0)
    return distribution.from_unit(min(max(bell.inv_cdf(low + place * (high - low)), 0.0), 1 - 2.0**-53))


def evaluation_order(names: Sequence[str], needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The names sorted so that each comes after the names it needs, otherwise in the given order.

    Raises:
        CycleError: The names depend on each other in a cycle.
    """
    order: list[str] = []
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if all(need in order for need in needs.get(name, ()))), None)
        if ready is None:
            raise CycleError(_cycle(waiting, needs))
        order.append(ready)
        waiting.remove(ready)
    return tuple(order)


def _cycle(waiting: Sequence[str], needs: Mapping[str, Collection[str]]) -> list[str]:
    """A cycle among names that wait for each other, found by following needs until a name repeats."""
    path = [waiting[0]]
    while path[-1] not in path[:-1]:
        path.append(next(need for need in sorted(needs[path[-1]]) if need in waiting))
    return path[path.index(path[-1]) :]
