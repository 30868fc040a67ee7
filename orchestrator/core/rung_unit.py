"""What rungs count: the steps that trials report, or their seconds of training (``scheduler.unit``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.spec.sections import Unit


def reached(unit: Unit, step: int, train_s: float) -> int:
    """How far a trial has come in the unit of the rungs.

    Args:
        unit: The unit.
        step: The step of its report.
        train_s: Its seconds of training by then, over all attempts. Rungs are at whole seconds, so whole ones count.
    """
    return int(train_s) if unit == "seconds" else step


def rung_name(rung: int | None, unit: Unit) -> str:
    """A rung as people read it: ``9``, or ``120 s``."""
    return f"{rung} s" if unit == "seconds" else str(rung)


def recorded_unit(spec: Mapping[str, Any]) -> Unit:
    """The unit of the rungs of a recorded sweep, by its saved spec."""
    return "seconds" if (spec.get("scheduler") or {}).get("unit") == "seconds" else "steps"
