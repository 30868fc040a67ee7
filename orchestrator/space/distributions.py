"""All distributions by their keys, and the union that picks one for a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter

from orchestrator.formatting import shown
from orchestrator.space.choices import Choice, Grid
from orchestrator.space.distribution import Distribution
from orchestrator.space.normal import LogNormal, Normal
from orchestrator.space.ranges import Int, LogInt, LogUniform, Uniform
from orchestrator.space.values import mistake
from orchestrator.suggestions import did_you_mean

FORMS: Mapping[str, type[Distribution]] = {
    each.form: each for each in (Uniform, LogUniform, Int, LogInt, Normal, LogNormal, Choice, Grid)
}
SETTINGS = ("when", "prior", "step", "ordered", "weights")
"""Keys of distributions beside the one that says which it is."""

_EXAMPLE = "as in {uniform: [0, 1]} or {choice: [a, b]}"


def _with_one_form(data: Any) -> Any:
    if isinstance(data, Distribution):
        return data
    if isinstance(data, list | tuple):
        raise mistake("a list is not a distribution", "{choice: [...]}, or {grid: [...]} to try each in turn")
    if not isinstance(data, Mapping):
        raise mistake(
            f"{shown(data)} is not a distribution",
            f"{_EXAMPLE}; constant values go under fixed",
        )
    named = [key for key in data if key in FORMS]
    if len(named) > 1:
        raise mistake(f"{' and '.join(named)} are {len(named)} distributions", "exactly one")
    if not named:
        strange = next((key for key in data if key not in SETTINGS), None)
        if strange is None:
            raise mistake("no distribution", did_you_mean("", FORMS))
        raise mistake(f"unknown distribution {shown(strange)}", did_you_mean(strange, FORMS))
    return data


def is_group(given: Any) -> bool:
    """Whether a value in a space is a group of parameters, and not a distribution, even a misspelt one.

    A group has a mapping below some name. Below the keys of distributions there are none, unless a parameter is called
    like such a key.
    """
    if not isinstance(given, Mapping):
        return False
    inner = {key for key, value in given.items() if _is_inner(key, value)}
    return bool(inner) and not any(key in FORMS and key not in inner for key in given)


def _is_inner(key: object, value: Any) -> bool:
    """Whether a key is the name of a parameter or of a group."""
    if not isinstance(value, Mapping):
        return False
    return key not in (*FORMS, *SETTINGS) or any(each in FORMS for each in value) or is_group(value)


def _form(data: Any) -> str | None:
    return data.form if isinstance(data, Distribution) else next((key for key in data if key in FORMS), None)


AnyDistribution = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[LogUniform, Tag("loguniform")]
    | Annotated[Int, Tag("int")]
    | Annotated[LogInt, Tag("logint")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[LogNormal, Tag("lognormal")]
    | Annotated[Choice, Tag("choice")]
    | Annotated[Grid, Tag("grid")],
    Discriminator(_form),
    BeforeValidator(_with_one_form),
]
"""Any distribution, chosen by its key."""

_ADAPTER: TypeAdapter[Distribution] = TypeAdapter(AnyDistribution)


def distribution_of(written: Mapping[str, Any]) -> Distribution:
    """The distribution that a mapping of the spec's form describes, as in ``{"uniform": [0, 1]}``.

    Raises:
        ValidationError: It describes none.
    """
    return _ADAPTER.validate_python(written)
