"""A search method of the user: any class with ``ask(number)`` and ``tell(number, config, value, step, outcome)``."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation
from orchestrator.core.search.random import RandomSearch
from orchestrator.errors import SearchMethodError
from orchestrator.formatting import shown
from orchestrator.space.values import is_number
from orchestrator.suggestions import Allowed, did_you_mean
from orchestrator.yaml.python_values import as_yaml

if TYPE_CHECKING:
    from orchestrator.spec import Distribution, Space

_PATIENCE = 10
"""Proposals that may be infeasible or known already before a random draw takes their place."""


class OwnMethod:
    """Asks and tells an object of the user's class.

    Args:
        space: The search space, passed on as ``space``.
        seed: The seed of the sweep, passed on as ``seed``.
        mode: "min" or "max", passed on as ``mode``.
        method: The class.
        options: Passed on as keyword arguments.
        name: What the spec calls the class, for errors.

    Raises:
        SearchMethodError: The class, or later one of its methods, raises an exception or proposes what is not in the
            space.
    """

    def __init__(
        self, space: Space, seed: int, mode: str, method: type, options: Mapping[str, Any], *, name: str
    ) -> None:
        self._space = space
        self._name = name
        self._fallback = RandomSearch(space, seed)
        self._method = self._called(method, space=space, seed=seed, mode=mode, **options)

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The first acceptable proposal; a random draw after too many others. None if the object returns None."""
        for _ in range(_PATIENCE):
            proposed = self._called(self._method.ask, number)
            if proposed is None:
                return None
            config = self._config(number, proposed)
            if accept(config):
                return config
        return self._fallback.ask(number, accept)

    def resume(self, number: int, config: Config) -> None:
        """Does nothing: the object is told of the trial when it reaches a rung or ends."""

    def tell(self, observation: Observation) -> None:
        """Pass on what the trial has reached; ``value`` is None if it diverged or failed."""
        self._called(
            self._method.tell,
            observation.number,
            dict(observation.config),
            observation.value,
            observation.step,
            observation.outcome.value,
        )

    def forget(self, number: int) -> None:
        """Does nothing: the object is not told of cancelled trials."""

    def _called(self, call: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except Exception as error:
            given = ", ".join([*map(shown, arguments), *named])
            called = "" if isinstance(call, type) else f".{call.__name__}"
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise SearchMethodError(
                f"{self._name}{called}({given}) raised {type(error).__name__}: {error}"
                f" ({Path(frame.filename).name}, line {frame.lineno})"
            ) from error

    def _config(self, number: int, proposed: Any) -> Config:
        """The proposal as a configuration; values of parameters that do not apply are left out.

        Raises:
            SearchMethodError: It is none of the space.
        """
        if not isinstance(proposed, Mapping):
            raise self._wrong(number, f"returned {shown(proposed)}, not a dict of parameters")
        strange = next((name for name in proposed if name not in self._space.parameters), None)
        if strange is not None:
            raise self._wrong(
                number,
                f"proposed {strange!r}, which is not in the space",
                did_you_mean(strange, self._space.parameters),
            )

        def value_of(name: str, distribution: Distribution) -> Any:
            if name not in proposed:
                raise self._wrong(number, f"proposed no value for {name}", distribution.allowed())
            value = as_yaml(proposed[name])
            if isinstance(value, list) and len(value) == 1 and distribution.extent is not None:
                (value,) = value  # an array of one number
            low, high = distribution.extent or (0.0, 0.0)
            rounds = distribution.extent is not None and is_number(value) and low <= value <= high
            if not rounds and not distribution.contains(value):
                raise self._wrong(
                    number, f"proposed {name}={shown(value)}, which is not in the space", distribution.allowed(value)
                )
            return value

        return self._space.draw(value_of)

    def _wrong(self, number: int, problem: str, allowed: Allowed = "") -> SearchMethodError:
        return SearchMethodError(f"{self._name}.ask({number}) {problem}", allowed=allowed)
