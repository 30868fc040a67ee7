"""Searches a space that grows: what trials ask for as they run is searched from then on.

A method is made for one space. When the space has grown, another is made for it and told all that the one before was
told: so any method can be used. Until a trial has found a parameter, nothing is proposed, and trials draw what they ask
for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation, Search
from orchestrator.space.space import Space
from orchestrator.space.values import canonical_json


class DefineByRun:
    """A search method over the parameters found so far.

    Args:
        space: The space of the sweep. It may grow at any time, in another thread.
        make: Makes the method for a space.
    """

    def __init__(self, space: Space, make: Callable[[Space], Search]) -> None:
        self._space = space
        self._make = make
        self._told: list[Callable[[Search], None]] = []
        self._proposed: set[str] = set()
        self._search: Search | None = None
        self._parameters = 0  # for which it was made

    def ask(self, number: int, accept: Accept) -> Config | None:
        """Values for all parameters found so far, others than before if there are any; none before the first."""
        if not self._space.parameters:
            self.resume(number, {})
            return {}
        search = self._grown()
        config = search.ask(number, partial(self._new, accept)) or search.ask(number, accept)
        if config is not None:
            self._proposed.add(canonical_json(config))
            self._told.append(partial(_resume, number, config))
        return config

    def resume(self, number: int, config: Config) -> None:
        """Count a trial as running, with what it has asked for by now."""
        self._pass_on(partial(_resume, number, config))

    def tell(self, observation: Observation) -> None:
        """Learn what a trial has reached."""
        self._pass_on(partial(_tell, observation))

    def forget(self, number: int) -> None:
        """Forget a trial that ended without a result."""
        self._pass_on(partial(_forget, number))

    def _pass_on(self, message: Callable[[Search], None]) -> None:
        """Tell the method, unless another is to be made first: it may not know the parameters."""
        self._told.append(message)
        if self._search is not None and len(self._space.parameters) == self._parameters:
            message(self._search)
        else:
            self._search = None

    def _grown(self) -> Search:
        """The method for the space as it is now."""
        parameters = self._space.parameters
        if self._search is None or len(parameters) > self._parameters:
            space = Space(parameters, [each.text for each in self._space.constraints], self._space.fixed)
            self._search, self._parameters = self._make(space), len(parameters)
            for message in self._told:
                message(self._search)
        return self._search

    def _new(self, accept: Accept, config: Config, times: int = 1) -> bool:
        return canonical_json(config) not in self._proposed and accept(config, times)


def _resume(number: int, config: Config, search: Search) -> None:
    search.resume(number, config)


def _tell(observation: Observation, search: Search) -> None:
    search.tell(observation)


def _forget(number: int, search: Search) -> None:
    search.forget(number)
