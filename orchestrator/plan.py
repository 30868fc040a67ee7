"""What a sweep will cost, before a GPU is touched: spec and slots in, numbers and warnings out. Pure."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from orchestrator.assemble import Ladder, ladder, trial_count
from orchestrator.schedule.asha import Asha
from orchestrator.spec import Spec, max_step
from trainables.contract import Declaration

TRIALS_PER_DIMENSION = 5
"""Fewer trials than this a searched parameter get a warning. Ten are the usual advice for a first design (Loeppky,
Sacks and Welch 2009, "Choosing the sample size of a computer experiment"); half of them is where it gets thin."""

_IMAGINED = 3000  # trials played for a forecast


@dataclass(frozen=True, kw_only=True)
class PlannedRung:
    """A rung as it is expected to go."""

    step: int
    entering: float  # trials expected to come to it
    continuing: float  # trials expected to go on from it


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A forecast. Steps are those of the trainable; expectations take trials to come in random order."""

    trials: int
    dimensions: int
    slots: int
    ladder: Ladder | None
    rungs: tuple[PlannedRung, ...]
    max_step: int | None  # of a full training; None: the trainable does not say
    expected_steps: float | None  # of the whole sweep
    full_steps: int | None  # if every trial trained to its end
    ceiling_s: float | None  # of wall time, by budget.hours
    ceiling_gpu_s: float | None  # by budget.gpu_hours, or by budget.hours times the slots' GPUs
    warnings: tuple[str, ...]


def make_plan(spec: Spec, declaration: Declaration | None, *, slots: int, gpus_per_trial: float = 0.0) -> Plan:
    """Forecast a sweep.

    Args:
        spec: A checked one.
        declaration: What its trainable declares.
        slots: How many trials fit at once.
        gpus_per_trial: What `resources.gpu` came to.
    """
    space = spec.parameter_space()
    trials = trial_count(spec, space)
    last = max_step(spec, declaration)
    rungs_of = ladder(spec, declaration)
    rungs: tuple[PlannedRung, ...] = ()
    steps = None if last is None else float(trials * last)
    if rungs_of is not None:
        rungs, steps = _forecast(trials, rungs_of, spec.search.seed)
    seconds = None if spec.budget.hours is None else spec.budget.hours * 3600
    gpu_seconds = None if spec.budget.gpu_hours is None else spec.budget.gpu_hours * 3600
    if seconds is not None and gpus_per_trial:
        bound = seconds * slots * gpus_per_trial
        gpu_seconds = bound if gpu_seconds is None else min(gpu_seconds, bound)
    return Plan(
        trials=trials,
        dimensions=len(space.parameters),
        slots=slots,
        ladder=rungs_of,
        rungs=rungs,
        max_step=last,
        expected_steps=steps,
        full_steps=None if last is None else trials * last,
        ceiling_s=seconds,
        ceiling_gpu_s=gpu_seconds,
        warnings=tuple(_warnings(spec, trials, len(space.parameters), slots, gpus_per_trial)),
    )


def _forecast(trials: int, settings: Ladder, seed: int) -> tuple[tuple[PlannedRung, ...], float]:
    """Play ASHA itself on imagined trials: the expected rungs, and the expected steps of the whole sweep.

    The trials come in random order, and one that is better at a rung is better at all. Asynchronous halving lets more
    go on than 1/eta, above all early ones; that is the price of never waiting, and it is in the figures.
    """
    generator = random.Random(seed)
    repeats = max(1, _IMAGINED // trials)
    steps = 0
    entering: Counter[int] = Counter()
    continuing: Counter[int] = Counter()
    for _ in range(repeats):
        asha = Asha(
            mode="min",
            grace_period=settings.grace_period,
            reduction_factor=settings.reduction_factor,
            max_step=settings.max_step,
            brackets=settings.brackets,
            seed=generator.getrandbits(32),
        )
        for trial in range(trials):
            loss = generator.random()
            last = settings.max_step
            for step in asha.rungs(trial):
                (decision,) = asha.report(trial, step, loss)
                entering[step] += 1
                if decision.stop:
                    last = step
                    break
                continuing[step] += 1
            steps += last
    rungs = tuple(
        PlannedRung(step=step, entering=entering[step] / repeats, continuing=continuing[step] / repeats)
        for step in sorted(entering)
    )
    return rungs, steps / repeats


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
