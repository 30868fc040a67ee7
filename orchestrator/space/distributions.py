"""All distributions by their keys, and the union that picks one for a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag

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
        strange = next((key for key in data if key not in ("when", "step", "ordered", "prior")), None)
        if strange is None:
            raise mistake("no distribution", did_you_mean("", FORMS))
        raise mistake(f"unknown distribution {shown(strange)}", did_you_mean(strange, FORMS))
    return data


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
