"""The length of a full training: in steps, in seconds, and in the unit of the rungs."""

from __future__ import annotations

import math
from typing import Any

from orchestrator.space.values import is_number
from orchestrator.spec.model import Spec
from trainables.declaration import Declaration

UNDECLARED_LENGTH = "epochs"
"""The hyperparameter that counts the steps of a training if the trainable declares nothing."""


def length_of(declaration: Declaration | None) -> str:
    """The hyperparameter that counts the steps of a full training; "" if the trainable declares none."""
    return UNDECLARED_LENGTH if declaration is None else declaration.length


def max_step(spec: Spec, declaration: Declaration | None) -> int | None:
    """The last step of the longest training; None if it is unknown.

    It is ``scheduler.max`` if given in steps, else the hyperparameter that counts the steps: its fixed value, the upper
    bound of its distribution, or its declared default. It is not known if that is derived.
    """
    if spec.scheduler is not None and spec.scheduler.max is not None and not spec.scheduler.in_seconds:
        return spec.scheduler.max
    length = length_of(declaration)
    if length in spec.derived:  # another one in every trial
        return None
    known: dict[str, Any] = {} if declaration is None else dict(declaration.defaults())
    known |= {name: each.extent and each.extent[1] for name, each in spec.distributions().items()}
    known |= spec.fixed
    steps: Any = known.get(length)
    return int(steps) if is_number(steps) and steps >= 1 else None


def max_seconds(spec: Spec) -> float | None:
    """Seconds of training after which every trial is completed; None if time ends none.

    The less of ``trial.max_time`` and, with ``scheduler.unit: seconds``, ``scheduler.max``.
    """
    by_scheduler = spec.scheduler.max if spec.scheduler is not None and spec.scheduler.in_seconds else None
    return min((each for each in (spec.trial.max_time, by_scheduler) if each is not None), default=None)


def max_rung(spec: Spec, declaration: Declaration | None) -> int | None:
    """Where a full training ends in the unit of the rungs, below which all rungs are; None if it is unknown."""
    if spec.scheduler is None or not spec.scheduler.in_seconds:
        return max_step(spec, declaration)
    seconds = max_seconds(spec)
    return None if seconds is None else math.ceil(seconds)
