"""Checks a spec against what its trainable declares: names, types, bounds, choices, files, metrics."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from orchestrator.formatting import shown
from orchestrator.space.distribution import Distribution
from orchestrator.space.names import groups_of
from orchestrator.space.values import is_number
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.spec.values_read import ValuesRead
from orchestrator.suggestions import Allowed, did_you_mean, suggestion
from orchestrator.yaml.document import Path
from trainables.declaration import REQUIRED, Declaration, Hyperparameter

DRAWS = 100
"""Random configurations for which derived values are checked."""

_MANY = 1000
"""How many values of a distribution are checked one by one."""

_TYPES = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    FilePath: "the path of a file or folder",
    list: "a list",
}

_Words = tuple[str, Allowed]


def check_declared(partial: PartialSpec, declaration: Declaration) -> None:
    """Add a mistake for everything in fixed, space and objective that does not fit the declaration."""
    spec, document = partial.spec, partial.document
    known = {each.name: each for each in declaration.hyperparameters}
    searched = spec.distributions()
    names = {*partial.fixed_names(), *partial.searched_names(), *partial.derived_names()}
    for path, name in _written(partial):
        if name not in known:
            document.add(path, f"{spec.trained} has no hyperparameter {name!r}", did_you_mean(name, known))
        elif name in spec.fixed and path[0] == "fixed":
            _note(partial, path, _wrong(spec.fixed[name], known[name], partial.base))
        elif name in searched and path[0] not in ("fixed", "derived"):
            _note(partial, path, _misfit(searched[name], known[name], partial.base))
    if all(map(partial.is_valid, ("fixed", "space", "derived", "search"))):
        _check_derived(partial, known)
        for each in declaration.hyperparameters:
            if each.default is REQUIRED and each.name not in names:
                document.add(("fixed",), f"{spec.trained} needs a value for {each.name}", each.meaning)
    metric = spec.objective.metric
    if partial.is_valid("objective", "metric") and declaration.metrics and metric not in declaration.metrics:
        allowed = did_you_mean(metric, declaration.metrics)
        document.add(("objective", "metric"), f"{spec.trained} does not report {metric!r}", allowed)


def check_values_read(partial: PartialSpec, read: ValuesRead) -> None:
    """Add a mistake for each value that an undeclared trainable certainly reads, and that no trial has."""
    if not all(map(partial.is_valid, ("fixed", "space", "search"))):
        return
    document, names = partial.document, {*partial.fixed_names(), *partial.searched_names(), *partial.derived_names()}
    there = names.union(*map(groups_of, names))
    for keys, line in read.lines.items():
        name, dotted = ".".join(keys), any("." in key for key in keys)
        outer = groups_of(name)  # a missing one is said once, and what is in a value that is a mapping is not known
        if not dotted and (name in there or any(each in names or each not in there for each in outer)):
            continue
        problem = f"{partial.spec.trained} reads {_subscript(keys)} (its line {line})"
        if name in there:
            document.add(("fixed",), f"{problem}, but gets nested values", _subscript(name.split(".")))
        else:
            allowed = suggestion(name, names) or f"{name}: … in fixed, or a distribution in space"
            document.add(("fixed",), f"{problem}, which has no value", allowed)


def _subscript(keys: Iterable[str]) -> str:
    return f"config{''.join(f'[{key!r}]' for key in keys)}"


def _written(partial: PartialSpec) -> Iterator[tuple[Path, str]]:
    """Every hyperparameter in the spec, with its path."""
    for name in partial.fixed_names():
        yield ("fixed", name), name
    for name in partial.derived_names():
        yield ("derived", name), name
    for name in partial.searched_names():
        yield partial.searched_path(name), name


def _check_derived(partial: PartialSpec, known: Mapping[str, Hyperparameter]) -> None:
    """Compare what random configurations give with what the trainable takes."""
    if partial.document.mistakes or not partial.spec.derived:
        return
    space, rng = partial.spec.parameter_space(), random.Random(0)
    assert space.derived is not None
    for name, kind in space.derived.kinds.items():
        if name in known and known[name].type is int and kind == "float":
            allowed = "int(…), round(…), or // in place of /"
            partial.document.add(("derived", name), f"it gives fractions, {name} takes an integer", allowed)
    for values in (space.complete(space.sample(rng)) for _ in range(DRAWS)):
        if partial.document.mistakes:  # one is enough
            return
        for name in space.derived.kinds.keys() & known.keys() & values.keys():
            _note(partial, ("derived", name), _wrong(values[name], known[name], partial.base))


def _note(partial: PartialSpec, path: Path, misfit: _Words | None) -> None:
    if misfit is not None:
        partial.document.add(path, *misfit)


def _misfit(distribution: Distribution, wanted: Hyperparameter, base: FilePath) -> _Words | None:
    values = distribution.values()
    if values is not None and (distribution.numeric is None or wanted.choices):
        return next((wrong for value in values[:_MANY] if (wrong := _wrong(value, wanted, base))), None)
    return _range_misfit(distribution, wanted)


def _range_misfit(distribution: Distribution, wanted: Hyperparameter) -> _Words | None:
    if wanted.type not in (int, float) or wanted.choices:
        allowed = "choice: " + (", ".join(map(str, wanted.choices)) or _TYPES[wanted.type])
        return f"{distribution.form} draws numbers, {wanted.name} takes {_TYPES[wanted.type]}", allowed
    if wanted.type is int and distribution.kind == "float":
        return f"{distribution.form} draws fractions, {wanted.name} takes an integer", "int or logint"
    low, high = distribution.extent or (-math.inf, math.inf)
    if low < wanted.low or high > wanted.high:
        reach = "has no bounds" if math.isinf(high) else f"reaches from {low:g} to {high:g}"
        return f"{distribution.form} {reach}", f"{wanted.name} is {_bounds(wanted)}"
    return None


def _wrong(value: Any, wanted: Hyperparameter, base: FilePath) -> _Words | None:
    """The mistake in one value; None if the value is valid."""
    if value is None and wanted.default is None:
        return None
    if not _has_type(value, wanted.type):
        whole = wanted.type is int and isinstance(value, float) and value.is_integer()
        allowed = f"write {value:.0f}" if whole else wanted.meaning
        return f"{shown(value)} is not {_TYPES[wanted.type]}", allowed
    if wanted.type is FilePath and not _is_there(base, value):
        return f"there is no file or folder {shown(value)}", f"a path from {base.resolve()}"
    if wanted.choices and value not in wanted.choices:
        return f"{wanted.name} cannot be {shown(value)}", did_you_mean(value, wanted.choices)
    if is_number(value) and not wanted.low <= value <= wanted.high:
        return f"{shown(value)} is out of range", f"{wanted.name} is {_bounds(wanted)}"
    return None


def _is_there(base: FilePath, written: str) -> bool:
    """Whether a file or folder has this path. Which of the two it must be, the trainable says of its data."""
    return bool(written) and (os.path.isfile(base / written) or os.path.isdir(base / written))


def _has_type(value: Any, wanted: type) -> bool:
    if wanted is float:
        return is_number(value)
    if wanted is FilePath:
        return isinstance(value, str)
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _bounds(wanted: Hyperparameter) -> str:
    if math.isinf(wanted.high):
        return f"at least {wanted.low:g}"
    return f"at most {wanted.high:g}" if math.isinf(wanted.low) else f"in [{wanted.low:g}, {wanted.high:g}]"
