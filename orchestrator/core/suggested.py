"""What trials ask for as they run, in the space of the sweep: define-by-run, as an objective of Optuna does it.

A parameter has one distribution in all trials of a sweep. Another one, as of a range that depends on other values,
would make values of the same name incomparable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.rows import Failure
from orchestrator.formatting import shown
from orchestrator.spec import Distribution, Space


def add_found(space: Space, parameters: Mapping[str, tuple[Any, Distribution]]) -> Failure | None:
    """Add to the space what it lacks.

    Args:
        space: The space of the sweep.
        parameters: What a trial has asked for: values and distributions.

    Returns:
        Why the trial has failed: it asked for a parameter with another distribution than a trial before, or has a value
        that the spec excludes. None if it did not.
    """
    for name, (value, distribution) in parameters.items():
        if name in space.fixed:
            continue
        asked = space.asked.setdefault(name, distribution)
        if not asked.draws_as(distribution):
            return _failure(
                "RangeChanged",
                name,
                f"{name} is asked for as {distribution.written()}, and was {asked.written()} before: a parameter has"
                " one range in all trials; if the range depends on other values, give each range a name of its own",
            )
        known = space.parameters.get(name)
        if known is None:
            space.add(name, distribution)
        elif not known.contains(value):
            outside = f"{name} is {shown(value)}, and the space of the spec has {known.written()}"
            return _failure("OutsideSpace", name, outside)
    return None


def _failure(kind: str, name: str, message: str) -> Failure:
    return Failure(type=kind, message=message, fingerprint=f"{kind}:{name}")
