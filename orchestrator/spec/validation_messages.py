"""Turns pydantic's errors into mistakes that say the value, what is allowed, and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.formatting import shown
from orchestrator.space.distributions import FORMS
from orchestrator.space.values import is_number, is_recordable
from orchestrator.spec.model import Spec
from orchestrator.spec.sections import Section
from orchestrator.suggestions import Allowed, did_you_mean
from orchestrator.yaml.document import Document, Path, dotted

SECTIONS: Mapping[str, type[Section]] = {
    name: section
    for name, field in Spec.model_fields.items()
    for section in (field.annotation, *getattr(field.annotation, "__args__", ()))
    if isinstance(section, type) and issubclass(section, Section)
}
"""The keys of the spec that are sections with keys of their own."""

_Words = tuple[str, Allowed]

_TYPES: Mapping[str, str] = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
_EXAMPLES: Mapping[str, str] = {
    "objective": "as in objective: {metric: val_loss, mode: min}",
    "objective.metric": "as in metric: val_loss",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def add_validation_errors(
    document: Document, error: ValidationError, *, within: Path = (), keys: Sequence[str] = ()
) -> list[Path]:
    """Add pydantic's errors to the document as mistakes, and return the broken paths.

    Args:
        document: A spec or another document.
        error: pydantic's errors.
        within: The path of the part that pydantic validated.
        keys: The valid keys of that part, if it is not a spec.
    """
    paths = []
    for detail in error.errors(include_url=False):
        path = within + _written_path(detail["loc"])
        problem, allowed = _words(detail, path, keys)
        document.add(path, problem, allowed)
        paths.append(path)
    return paths


def _written_path(loc: Path) -> Path:
    """pydantic's location without the member of a union and the "[key]" that pydantic adds."""
    if loc[0] in ("command", "resume"):
        loc = (loc[0], *loc[2:])
    if len(loc) > 2 and (loc[0] == "space" or loc[:2] == ("search", "configs")):
        loc = (*loc[:2], *loc[3:])
    return tuple(part for part in loc if part != "[key]")


def _words(detail: ErrorDetails, path: Path, keys: Sequence[str]) -> _Words:
    kind, seen, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "mistake":
        return context["problem"], context["allowed"]
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return f"unknown key {path[-1]!r}", did_you_mean(path[-1], keys) if keys else _right_key(detail["loc"])
    if kind == "literal_error":
        options = re.findall(r"'([^']*)'", context["expected"])
        return f"unknown value {shown(seen)}", did_you_mean(seen, options)
    if kind in _TYPES:
        return f"{shown(seen)} is not {_TYPES[kind]}", _remedy(kind, seen, path)
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{shown(seen)} is out of range", f"{words} {context[key]:.16g}"
    return _shape(kind, seen)


def _missing(path: Path) -> _Words:
    if isinstance(path[-1], int):
        return "one number is missing", "two numbers, as in [0, 1]"
    return f"{path[-1]} is missing", _EXAMPLES.get(dotted(path), "")


def _right_key(loc: Path) -> Allowed:
    """The nearest key of the section, or the section that has such a key."""
    section, key = str(loc[0]), str(loc[-1])
    if section == "space":
        return did_you_mean(key, _keys_of(FORMS[str(loc[2])]))
    siblings = _keys_of(SECTIONS[section]) if len(loc) > 1 else list(Spec.model_fields)
    suggestion = did_you_mean(key, siblings)
    homes = [name for name, section in SECTIONS.items() if key in _keys_of(section)]
    return f"it belongs under {' or '.join(homes)}" if homes and suggestion.nearest is None else suggestion


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _remedy(kind: str, seen: Any, path: Path) -> str:
    if kind == "bool_type" and str(seen).lower() in ("yes", "no", "on", "off"):
        return "in YAML 1.2, yes and no are words"
    if kind == "string_type" and is_number(seen) and is_recordable(seen):
        return f'in quotes: "{seen}"'
    if kind in ("int_type", "int_from_float") and isinstance(seen, float) and seen.is_integer() and abs(seen) < 1e15:
        return f"write {int(seen)}"
    if kind in ("model_type", "model_attributes_type") and len(path) == 1:
        return f"its keys: {', '.join(_keys_of(SECTIONS[str(path[0])]))}"
    return ""


def _shape(kind: str, seen: Any) -> _Words:
    known: Mapping[str, Callable[[], _Words]] = {
        "too_short": lambda: ("an empty list", "at least one value"),
        "too_long": lambda: (f"{shown(seen)} has too many items", "two numbers, as in [0, 1]"),
        "string_too_short": lambda: ("empty text", ""),
        "string_too_long": lambda: (f"{shown(seen)} is too long", "at most 100 characters"),
        "string_pattern_mismatch": lambda: (
            f"{shown(seen)} is not a valid name",
            "letters a to z, digits, . _ -; the first one a letter or a digit",
        ),
    }
    words = known.get(kind)
    return words() if words else (f"{shown(seen)} is not allowed here", "")
