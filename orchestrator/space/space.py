"""The search space: distributions, the conditions under which they are active, and constraints.

Search methods and checks share this one class, so that all of them agree on what is active, feasible and equal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from orchestrator.expressions.expression import Expression
from orchestrator.formatting import shown
from orchestrator.space.choices import Choice
from orchestrator.space.derived import Derived
from orchestrator.space.distribution import Distribution
from orchestrator.space.evaluation_order import evaluation_order
from orchestrator.space.values import Config, Kind, canonical_json
from orchestrator.suggestions import Allowed, did_you_mean


class Space:
    """The parameters in the order of the spec, their conditions, and the constraints.

    A parameter is *active* in a configuration if it has no ``when``, or if everything its ``when`` names is
    active and the condition holds. An inactive one is absent from the configuration.

    Attributes:
        parameters: Distributions by name, in the order of the spec, which is also the order of a point's coordinates.
        fixed: The values that are the same in every configuration. Expressions can use them; configurations do
            not contain them.
        derived: The values that are computed from a configuration, which constraints can use; None if there are none.
        order: The names, each after those that it depends on.
        asked: What trials have asked for as they ran, by name; a spec may narrow it.
        open: Whether trials find further parameters as they run, and do not ask for all of these: what is proposed
            is then less and more than the configuration that a trial has in the end.
    """

    def __init__(
        self,
        parameters: Mapping[str, Distribution],
        constraints: Sequence[str] = (),
        fixed: Mapping[str, Any] | None = None,
        derived: Mapping[str, str] | None = None,
    ) -> None:
        """Parse every expression.

        Raises:
            ExpressionError: A condition, constraint or formula is not an expression, or uses an unknown name.
            CycleError: Conditions, or formulas, depend on each other in a cycle.
        """
        self.parameters = dict(parameters)
        self.fixed = dict(fixed or {})
        self.asked: dict[str, Distribution] = {}
        self.open = False
        names = [*self.parameters, *self.fixed]
        self.conditions = {
            name: Expression.parse(distribution.when, names)
            for name, distribution in self.parameters.items()
            if distribution.when is not None
        }
        self.derived = Derived(derived, self.parameters, self.fixed) if derived else None
        self.constraints = tuple(Expression.parse(text, [*names, *(derived or ())]) for text in constraints)
        needs = {name: condition.names & self.parameters.keys() for name, condition in self.conditions.items()}
        self.order = evaluation_order(list(self.parameters), needs)

    def add(self, name: str, distribution: Distribution) -> None:
        """Add a parameter that a trial has found. Another thread that reads the space has it before or after that."""
        self.parameters = {**self.parameters, name: distribution}
        self.order = (*self.order, name)

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

    @property
    def has_weights(self) -> bool:
        """Whether some values of a choice are likelier than others."""
        return any(isinstance(each, Choice) and each.weights is not None for each in self.parameters.values())

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

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of the columns of parameters and derived values."""
        kinds = {name: each.kind for name, each in self.parameters.items()}
        return kinds if self.derived is None else kinds | self.derived.kinds

    def complete(self, config: Config) -> Config:
        """A configuration with its derived values; the same object if there are none.

        Raises:
            EvaluationError: A derived value cannot be computed for this configuration.
        """
        return config if self.derived is None else {**config, **self.derived.of({**self.fixed, **config})}

    def given(self, config: Config) -> Config:
        """What the trainable is given: fixed, searched and derived values."""
        return {**self.fixed, **self.complete(config)}

    def feasible(self, config: Mapping[str, Any]) -> bool:
        """Whether every constraint holds. A constraint that uses an inactive parameter holds.

        Raises:
            EvaluationError: A constraint cannot be evaluated for these values.
        """
        return all(self.holds(constraint, config) for constraint in self.constraints)

    def holds(self, constraint: Expression, config: Mapping[str, Any]) -> bool:
        """Whether one constraint holds, as it does if it uses an inactive parameter."""
        values = {**self.fixed, **config}
        if self.derived is not None and constraint.names & self.derived.formulas.keys():
            values |= self.derived.of(values)
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
