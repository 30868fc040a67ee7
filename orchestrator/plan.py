"""What a sweep will cost, before a GPU is touched: spec and slots in, numbers and warnings out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.assemble import Ladder, ladder, trial_count
from orchestrator.spec import Spec, max_step
from trainables.contract import Declaration

TRIALS_PER_DIMENSION = 5
"""Fewer trials than this a searched parameter get a warning. Ten are the usual advice for a first design (Loeppky,
Sacks and Welch 2009, "Choosing the sample size of a computer experiment"); half of them is where it gets thin."""


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

    @property
    def waves(self) -> float:
        """How many full trainings each slot does one after the other: times the length of one gives the duration."""
        if not self.expected_steps or not self.max_step:
            return self.trials / self.slots
        return self.expected_steps / self.max_step / self.slots


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
    rungs = _rungs(trials, rungs_of) if rungs_of is not None else ()
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
        expected_steps=None if last is None else _expected_steps(trials, rungs, last),
        full_steps=None if last is None else trials * last,
        ceiling_s=seconds,
        ceiling_gpu_s=gpu_seconds,
        warnings=tuple(_warnings(spec, trials, len(space.parameters), slots)),
    )


def expected_survivors(entering: float, reduction_factor: int) -> float:
    """How many of the trials that come to a rung in random order ASHA is expected to let go on.

    The i-th to come goes on if it is among the best floor((i - 1) / eta) + 1 of the first i, which has the
    probability (floor((i - 1) / eta) + 1) / i. Early ones are let through more easily, so this is more than
    entering / eta; the difference is the price of never waiting.
    """
    whole = int(entering)
    chance = [((i - 1) // reduction_factor + 1) / i for i in range(1, whole + 2)]
    return sum(chance[:whole]) + chance[whole] * (entering - whole)


def _rungs(trials: int, settings: Ladder) -> tuple[PlannedRung, ...]:
    """Of the lowest bracket; with several brackets the forecast is a lower bound on the steps."""
    rungs = []
    entering, step = float(trials), settings.grace_period
    while step < settings.max_step:
        continuing = expected_survivors(entering, settings.reduction_factor)
        rungs.append(PlannedRung(step=step, entering=entering, continuing=continuing))
        entering, step = continuing, step * settings.reduction_factor
    return tuple(rungs)


def _expected_steps(trials: int, rungs: tuple[PlannedRung, ...], last: int) -> float:
    stopped = sum((rung.entering - rung.continuing) * rung.step for rung in rungs)
    finishing = rungs[-1].continuing if rungs else float(trials)
    return stopped + finishing * last


def _warnings(spec: Spec, trials: int, dimensions: int, slots: int) -> list[str]:
    warnings = []
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
    if spec.budget.hours is None and spec.budget.gpu_hours is None:
        warnings.append("no ceiling of time: set budget.hours, or budget.gpu_hours")
    return warnings
