"""What a sweep will be, before a GPU is touched: spec and slots in, numbers and warnings out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.build import Ladder, ladder, trial_count
from orchestrator.spec import Spec, max_step
from trainables.contract import Declaration

TRIALS_PER_DIMENSION = 5
"""Fewer trials than this a searched parameter get a warning. Ten are the usual advice for a first design (Loeppky,
Sacks and Welch 2009, "Choosing the sample size of a computer experiment"); half of them is where it gets thin."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is known beforehand; what is expected, orchestrator/simulate/ says. Steps are those of the trainable."""

    trials: int
    dimensions: int
    slots: int
    ladder: Ladder | None
    max_step: int | None  # of a full training; None: the trainable does not say
    full_steps: int | None  # if every trial trained to its end
    ceiling_s: float | None  # of wall time, by budget.hours
    ceiling_gpu_s: float | None  # by budget.gpu_hours, or by budget.hours times the slots' GPUs
    warnings: tuple[str, ...]


def make_plan(spec: Spec, declaration: Declaration | None, *, slots: int, gpus_per_trial: float = 0.0) -> Plan:
    """Plan a sweep.

    Args:
        spec: A checked one.
        declaration: What its trainable declares.
        slots: How many trials fit at once.
        gpus_per_trial: What `resources.gpu` came to.
    """
    space = spec.parameter_space()
    trials = trial_count(spec, space)
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
        full_steps=None if last is None else trials * last,
        ceiling_s=seconds,
        ceiling_gpu_s=gpu_seconds,
        warnings=tuple(_warnings(spec, trials, len(space.parameters), slots, gpus_per_trial)),
    )


def _warnings(spec: Spec, trials: int, dimensions: int, slots: int, gpus_per_trial: float) -> list[str]:
    warnings = []
    if gpus_per_trial and slots > trials:
        idle = (slots - trials) * gpus_per_trial
        warnings.append(
            f"with {slots * gpus_per_trial:g} GPUs and {trials} trials, {idle:g} stay idle: give budget.trials of at"
            f" least {slots}, or fewer GPUs"
        )
    if spec.search.method not in ("grid", "list") and trials < TRIALS_PER_DIMENSION * dimensions:
        warnings.append(
            f"{trials} trials are few for {dimensions} searched parameters: fix some of them, or give at least"
            f" {TRIALS_PER_DIMENSION * dimensions} trials"
        )
    if spec.search.method == "tpe" and slots > trials / 2:
        warnings.append(
            f"with {slots} trials at once, most of the {trials} are chosen before any has a result: tpe will search"
            " at random; give fewer slots (resources.concurrency) or use sobol"
        )
    return warnings
