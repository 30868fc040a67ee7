"""Plans a sweep without starting anything: from a spec and a number of slots to figures and warnings. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.build import limits_of
from orchestrator.core.ladder import Ladder, ladder
from orchestrator.spec import Spec, max_step
from orchestrator.spec.sections import DO_NOT_LEARN
from trainables.declaration import Declaration

TRIALS_PER_DIMENSION = 5
"""Fewer trials per searched parameter get a warning: half of the ten that are usually recommended for a first design
(Loeppky, Sacks and Welch 2009, "Choosing the sample size of a computer experiment")."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is known in advance; orchestrator/simulate/ forecasts the rest. Steps are the trainable's."""

    trials: int | None  # at most; None: no number ends the sweep
    dimensions: int
    slots: int
    ladder: Ladder | None
    max_step: int | None  # last step of a full training; None: unknown
    full_steps: int | None  # steps of all trials together, if none ends early; None: unknown
    ceiling_s: float | None  # most seconds of wall time, by budget.hours
    ceiling_gpu_s: float | None  # most GPU seconds, by budget.gpu_hours, or by budget.hours times the slots' GPUs
    warnings: tuple[str, ...]


def make_plan(spec: Spec, declaration: Declaration | None, *, slots: int, gpus_per_trial: float = 0.0) -> Plan:
    """Plan a sweep.

    Args:
        spec: A checked spec.
        declaration: What the trainable declares.
        slots: Number of trials that run at once.
        gpus_per_trial: The resolved `resources.gpu`.
    """
    space = spec.parameter_space()
    trials = limits_of(spec, space, gpus_per_trial=gpus_per_trial).trials
    last = max_step(spec, declaration)
    seconds = None if spec.budget.hours is None else spec.budget.hours * 3600
    gpu_seconds = None if spec.budget.gpu_hours is None else spec.budget.gpu_hours * 3600
    if seconds is not None and gpus_per_trial:
        bound = seconds * slots * gpus_per_trial
        gpu_seconds = bound if gpu_seconds is None else min(gpu_seconds, bound)
    return Plan(
        trials=trials,
        dimensions=len(space.parameters),
        slots=slots,
        ladder=ladder(spec, declaration),
        max_step=last,
        full_steps=None if last is None or trials is None else trials * last,
        ceiling_s=seconds,
        ceiling_gpu_s=gpu_seconds,
        warnings=tuple(_warnings(spec, trials, len(space.parameters), slots, gpus_per_trial)),
    )


def _warnings(spec: Spec, trials: int | None, dimensions: int, slots: int, gpus_per_trial: float) -> list[str]:
    budget, warnings = spec.budget, []
    if budget.gpu_hours is not None and not gpus_per_trial:
        warnings.append("budget.gpu_hours does not end this sweep, because its trials use no GPU")
    if trials is None:
        if budget.target is not None and budget.hours is budget.gpu_hours is budget.patience is None:
            warnings.append(
                "nothing ends the sweep unless it reaches its target: also set budget.trials, hours or patience"
            )
        return warnings
    if budget.patience is not None and budget.patience >= trials:
        warnings.append(f"budget.patience {budget.patience} does nothing with {trials} trials")
    if gpus_per_trial and slots > trials:
        idle = (slots - trials) * gpus_per_trial
        warnings.append(
            f"{idle:g} of {slots * gpus_per_trial:g} GPUs stay idle with {trials} trials: raise budget.trials to at"
            f" least {slots}, or use fewer GPUs"
        )
    if spec.search.method not in ("grid", "list") and trials < TRIALS_PER_DIMENSION * dimensions:
        warnings.append(
            f"{trials} trials are few for {dimensions} searched parameters: fix some of the parameters, or raise"
            f" budget.trials to at least {TRIALS_PER_DIMENSION * dimensions}"
        )
    if spec.search.method not in DO_NOT_LEARN and slots > trials / 2:
        warnings.append(
            f"with {slots} slots, most of the {trials} trials are proposed before any has a result, so"
            f" {spec.search.method} learns little: lower resources.concurrency, or raise budget.trials"
        )
    return warnings
