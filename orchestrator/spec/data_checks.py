"""Has a trainable look into its data before anything starts: the mistakes stand where the spec names the data."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from orchestrator.expressions.expression import EvaluationError
from orchestrator.formatting import shown
from orchestrator.spec.declaration_checks import DRAWS
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.yaml.document import Path
from trainables.configuration import complete
from trainables.data.problems import DataProblem
from trainables.declaration import Declaration

LOOKS = 8
"""So many different choices of data are looked into, if the spec searches over files or targets."""


def check_data(partial: PartialSpec, declaration: Declaration, warn: Callable[[str], None]) -> None:
    """Add a mistake for everything that ``check_data`` of the trainable finds in the data.

    It is called for one configuration, and again for others that differ in what it has read, up to ``LOOKS``.

    Args:
        partial: The spec, checked against the declaration.
        declaration: What the trainable declares.
        warn: Given what is odd, and yet no mistake.
    """
    if declaration.check_data is None:
        return
    read: set[str] = set()
    seen: list[Mapping[str, Any]] = []
    said: set[str] = set()
    for config in _configs(partial, declaration):
        if any(_same(config, before, read) for before in seen):
            continue
        if len(seen) == LOOKS:
            break
        seen.append(config)
        try:
            completed = complete(_with_paths(config, declaration, partial.base), declaration.hyperparameters)
            problems = tuple(declaration.check_data(_Watched(completed, read)))
        except Exception as error:
            words = f"check_data of {partial.spec.trained} failed: {type(error).__name__}: {error}"
            partial.document.add((partial.trained_by,), words)
            return
        for problem in problems:
            _note(partial, problem, _chosen(partial, read, config), warn, said)


class _Watched(dict[str, Any]):
    """A configuration that notes what is read of it."""

    def __init__(self, config: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(config)
        self._read = read

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(name)
        return super().get(name, default)


def _same(config: Mapping[str, Any], other: Mapping[str, Any], read: set[str]) -> bool:
    """Whether two configurations agree in what has been read; of nested values, their outermost name is."""
    names = [name for name in {**config, **other} if name.partition(".")[0] in read]
    return all(config.get(name) == other.get(name) for name in names)


def _configs(partial: PartialSpec, declaration: Declaration) -> Iterator[Mapping[str, Any]]:
    """Configurations as trials may get them: fixed, searched and derived values that are no mistakes themselves.

    In a spec with mistakes, only fixed values are known for certain.
    """
    spec, document = partial.spec, partial.document
    known = {each.name for each in declaration.hyperparameters}
    defaults = declaration.defaults()
    required = known - defaults.keys()
    if document.mistakes:
        wrong = {mistake.key for mistake in document.mistakes}
        fixed = {name: value for name, value in spec.fixed.items() if name in known and f"fixed.{name}" not in wrong}
        if required <= fixed.keys():
            yield {**defaults, **fixed}
        return
    space, rng = spec.parameter_space(), random.Random(0)
    if isinstance(spec.search.configs, list):
        chosen: Iterator[Mapping[str, Any]] = iter(spec.search.configs)
    else:
        chosen = filter(space.feasible, (space.sample(rng) for _ in range(DRAWS)))
    for config in chosen:
        try:
            given = space.given(space.canonical(config))
        except EvaluationError:
            continue  # said elsewhere
        if required <= given.keys():
            yield {**defaults, **given}


def _with_paths(config: Mapping[str, Any], declaration: Declaration, base: FilePath) -> dict[str, Any]:
    """The configuration with paths from here rather than from the spec's directory, in which trials run."""
    paths = {each.name for each in declaration.hyperparameters if each.type is FilePath}
    return {name: base / value if name in paths and value else value for name, value in config.items()}


def _chosen(partial: PartialSpec, read: set[str], config: Mapping[str, Any]) -> str:
    """The searched values for which the data was looked into: "" if none is searched."""
    varying = [name for name in (*partial.searched_names(), *partial.derived_names()) if name.partition(".")[0] in read]
    return ", ".join(f"{name}: {shown(config[name])}" for name in varying if name in config)


def _note(partial: PartialSpec, found: DataProblem, chosen: str, warn: Callable[[str], None], said: set[str]) -> None:
    problem = f"{found.problem} (with {chosen})" if chosen and not found.warning else found.problem
    if found.warning:
        if problem not in said and not partial.document.mistakes:
            warn(f"{found.problem}; {found.allowed}" if found.allowed else found.problem)
        said.add(problem)
        return
    partial.document.add(_place(partial, found.name), problem, found.allowed)


def _place(partial: PartialSpec, name: str) -> Path:
    """Where the value of a hyperparameter is written; of a default, where it would be."""
    if name in partial.searched_names():
        return partial.searched_path(name)
    return ("derived", name) if name in partial.derived_names() else ("fixed", name)
