"""The settings of a spec's scheduler, with defaults filled in, and the scheduler itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from orchestrator.core.schedulers import Scheduler
from orchestrator.core.schedulers.asha import Asha, Variant, default_grace_period, rung_steps
from orchestrator.core.schedulers.median import Median
from orchestrator.core.schedulers.none import NoScheduler
from orchestrator.core.schedulers.pasha import Pasha
from orchestrator.core.schedulers.top_after import TopAfter
from orchestrator.core.search.auto.roles import role
from orchestrator.spec import Scheduler as SchedulerSpec
from orchestrator.spec import Spec
from orchestrator.spec.max_step import max_rung
from orchestrator.spec.sections import Unit
from trainables.declaration import Declaration

DEFAULT_REDUCTION_FACTOR = 3

REDUCTION_FACTOR_OF_AUTO = 2
"""Of configurations that the search `auto` proposes, few are bad, so that half of them go on."""

DEFAULT_TOP = 3


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The settings of a scheduler that has rungs."""

    method: Literal["asha", "hyperband", "pasha", "median", "top_after"] = "asha"
    unit: Unit = "steps"
    grace_period: int
    reduction_factor: int
    max_step: int  # in the unit, as all rungs are
    brackets: int = 1
    variant: Variant = "auto"  # of asha and hyperband
    top: int = DEFAULT_TOP  # of top_after
    apart: bool = False  # trials that explore are judged among themselves


def ladder(spec: Spec, declaration: Declaration | None) -> Ladder | None:
    """The scheduler's settings; None without one: the spec turns it off, or the length of a training is unknown."""
    last = max_rung(spec, declaration)
    asked = spec.scheduler or SchedulerSpec()
    if asked.method == "none" or last is None:
        return None
    both_auto = asked.method == spec.search.method == "auto"
    grace = asked.grace_period or default_grace_period(last, asked.reduction_factor or DEFAULT_REDUCTION_FACTOR)
    factor = asked.reduction_factor or (REDUCTION_FACTOR_OF_AUTO if both_auto else DEFAULT_REDUCTION_FACTOR)
    method = "asha" if asked.method == "auto" else asked.method
    return Ladder(
        method=method,
        unit=asked.unit or "steps",
        grace_period=grace,
        reduction_factor=factor,
        max_step=last,
        brackets=len(rung_steps(grace, factor, last)) + 1 if method == "hyperband" else asked.brackets or 1,
        variant=asked.variant or "auto",
        top=asked.top or DEFAULT_TOP,
        apart=both_auto and asked.brackets is None,
    )


def scheduler_of(spec: Spec, declaration: Declaration | None) -> Scheduler:
    """The scheduler of a spec, with empty rungs."""
    rungs, mode = ladder(spec, declaration), spec.objective.mode
    if rungs is None:
        return NoScheduler()
    match rungs.method:
        case "asha" | "hyperband":
            return Asha(
                mode=mode,
                grace_period=rungs.grace_period,
                reduction_factor=rungs.reduction_factor,
                max_step=rungs.max_step,
                brackets=rungs.brackets,
                variant=rungs.variant,
                apart=partial(role, spec.search.seed) if rungs.apart else None,
                seed=spec.search.seed,
            )
        case "pasha":
            return Pasha(
                mode=mode,
                grace_period=rungs.grace_period,
                reduction_factor=rungs.reduction_factor,
                max_step=rungs.max_step,
            )
        case "median":
            return Median(mode=mode, grace_period=rungs.grace_period, max_step=rungs.max_step)
        case "top_after":
            return TopAfter(mode=mode, step=rungs.grace_period, top=rungs.top)
