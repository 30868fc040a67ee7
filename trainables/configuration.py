"""Configurations as trainables see them: nested, and checked against a declaration where no spec has been checked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainables.declaration import REQUIRED, Hyperparameter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which dotted names are nested: ``{"optim.lr": 0.1}`` becomes ``{"optim": {"lr": 0.1}}``.

    >>> nested({"epochs": 9, "optim.name": "sgd", "optim.lr": 0.1})
    {'epochs': 9, 'optim': {'name': 'sgd', 'lr': 0.1}}
    """
    whole: dict[str, Any] = {}
    for name, value in config.items():
        *groups, last = name.split(".")
        inner = whole
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return whole


def complete(config: Mapping[str, Any], hyperparameters: Iterable[Hyperparameter]) -> dict[str, Any]:
    """The configuration with declared defaults filled in, and numbers and paths converted to the declared type.

    A numpy number thus becomes one of Python, whose arithmetic raises where numpy would only warn. Of nested
    hyperparameters, both the configuration and what is returned are nested.

    Raises:
        ValueError: A name is not declared, a required one is missing, or a value is not allowed. The error lists all
            such mistakes, a line each.
    """
    declared = {h.name: h for h in hyperparameters}
    mistakes = []
    config = dict(_flat(config, declared))
    for name in config:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(declared)}"
            mistakes.append(f"{name}: no such hyperparameter; {hint}")
    completed = {name: config.get(name, h.default) for name, h in declared.items()}
    for name, value in completed.items():
        problem = _problem(value, declared[name])
        if problem:
            mistakes.append(f"{name}: {problem}")
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return nested(
        {
            name: declared[name].type(value) if declared[name].type in (int, float, Path) else value
            for name, value in completed.items()
        }
    )


def _flat(config: Mapping[str, Any], declared: Collection[str], within: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        name = f"{within}{key}"
        if isinstance(value, Mapping) and any(each.startswith(f"{name}.") for each in declared):
            yield from _flat(value, declared, f"{name}.")
        else:
            yield name, value


def _problem(value: Any, declared: Hyperparameter) -> str:
    """What is wrong with a value; "" if it is valid."""
    if value is REQUIRED:
        return "required, but not given"
    if declared.choices and value not in declared.choices:
        return f"{value!r} is not one of {', '.join(map(str, declared.choices))}"
    if declared.type in (int, float):
        accepted = Integral if declared.type is int else Real
        if isinstance(value, bool) or not isinstance(value, accepted):
            return f"{value!r} is not of type {declared.type.__name__}"
        if not declared.low <= float(value) <= declared.high:
            return f"{value} is not between {declared.low} and {declared.high}"
    return ""


def part_of(config: Mapping[str, Any], kind: type[T]) -> T:
    """What a configuration has for the fields of a frozen dataclass; a list becomes a tuple of texts."""
    values = {each.name: config[each.name] for each in fields(kind)}
    return kind(**{name: tuple(map(str, each)) if isinstance(each, list) else each for name, each in values.items()})
