"""What the callbacks of all libraries share: which unit a step has, and what of the logged values is reported."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal, get_args

from trainables.report import wrong_metric_name

StepUnit = Literal["epoch", "global_step"]


def checked(step: str) -> str:
    """The unit of a step.

    Raises:
        ValueError: There is no such unit.
    """
    if step not in get_args(StepUnit):
        raise ValueError(f"SweepCallback(step={step!r}): a step is an 'epoch' or a 'global_step'")
    return step


def metrics_of(logged: Mapping[str, Any]) -> dict[str, Any]:
    """The single numbers under names that can be recorded, as they are."""
    return {name: value for name, value in logged.items() if _is_number(value) and not wrong_metric_name(name)}


def _is_number(value: object) -> bool:
    return isinstance(value, Real) or getattr(value, "numel", lambda: 0)() == 1
