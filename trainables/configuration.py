"""Checks a configuration against a declaration, for a trainable that is called without a spec, as in a notebook."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from trainables.contract import REQUIRED, Hyperparameter


def complete(config: Mapping[str, Any], hyperparameters: Iterable[Hyperparameter]) -> dict[str, Any]:
    """The configuration with declared defaults filled in, and numbers and paths converted to the declared type.

    A numpy number thus becomes one of Python, whose arithmetic raises where numpy would only warn.

    Raises:
        ValueError: A name is not declared, a required one is missing, or a value is not allowed. The error lists all
            such mistakes, a line each.
    """
    declared = {h.name: h for h in hyperparameters}
    mistakes = []
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
    return {
        name: declared[name].type(value) if declared[name].type in (int, float, Path) else value
        for name, value in completed.items()
    }


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
