"""Which values hyperparameters can have, and when two values are the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from orchestrator.formatting import shown
from orchestrator.suggestions import Allowed

MAX_INT = 2**53
"""Larger integers are not exact in JSON or as float64."""

Kind = Literal["int", "float", "bool", "str", "json"]
"""The type of a parameter's recorded column."""

_KINDS: Mapping[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}


def mistake(problem: str, allowed: Allowed = "") -> PydanticCustomError:
    """An error for pydantic validators that already has its final wording."""
    return PydanticCustomError("mistake", "{problem}", {"problem": problem, "allowed": allowed})


def kind_of(values: Iterable[Any]) -> Kind:
    """The type that holds all values; "json" for lists and for types that do not mix."""
    kinds = {_KINDS.get(type(value), "json") for value in values}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "json"


def canonical_json(value: Any) -> str:
    """A text that is the same for two values if and only if their types and values are equal."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_number(value: Any) -> bool:
    """Whether the value is a finite number that a float can hold; True and False are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # 10**400
        return False


def is_recordable(value: Any) -> bool:
    """Whether JSON and Parquet hold the value exactly: text, finite floats, integers within ±2**53, lists."""
    match value:
        case bool() | None:
            return True
        case str():
            return not any("\ud800" <= letter <= "\udfff" for letter in value)  # lone surrogates
        case int():
            return abs(value) <= MAX_INT
        case float():
            return math.isfinite(value)
        case list():
            return all(map(is_recordable, value))
        case dict():
            return all(is_recordable(each) for pair in value.items() for each in pair)
    return False


def _recordable(value: Any) -> Any:
    if not is_recordable(value):
        raise mistake(
            f"{shown(value)} cannot be recorded exactly",
            "text, finite numbers, integers within ±2**53, lists",
        )
    return value


Value = Annotated[Any, AfterValidator(_recordable)]
"""The value of a hyperparameter: anything that JSON and Parquet hold exactly."""

Config = dict[str, Any]
"""A configuration: value by parameter name. A parameter whose condition does not hold is absent."""
