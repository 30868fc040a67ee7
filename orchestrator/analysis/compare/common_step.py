"""Compares trials at one step that most of them reached, by their results up to that step.

ASHA stops most trials early, so their last values belong to different steps and are not comparable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import State
from orchestrator.spec.sections import Unit

MOST = 2 / 3
"""The share of trials that must have reached a step. The last such step is used."""


@dataclass(frozen=True, kw_only=True)
class CommonStep:
    """The losses of trials at a step: lower is better, whatever the objective's mode; infinity for diverged trials."""

    step: int | None  # None: each trial at its own end
    unit: Unit = "steps"  # seconds: the step is a time of training
    losses: Mapping[int, float]  # by trial
    judged: int  # trials that could have reached the step: all that reported, except failed ones

    def ranks(self) -> dict[int, float]:
        """The rank of each trial, 1 for the best; ties (such as diverged trials) share the mean rank."""
        from scipy.stats import rankdata

        return dict(zip(self.losses, rankdata(list(self.losses.values())).tolist(), strict=True))

    def sentence(self) -> str:
        """How many trials were compared, and at which step."""
        here = f"at {self.step} s of training" if self.unit == "seconds" else f"at step {self.step}"
        where = "at their last step" if self.step is None else f"{here}, which most reached"
        return f"{len(self.losses)} of {self.judged} trials, compared {where}"


def compare_at_common_step(results: SweepResults, reports: Iterable[tuple[int, float, float | None]]) -> CommonStep:
    """Choose the step, and compare the trials there.

    Args:
        results: The sweep's trials and the rungs they entered.
        reports: Trial, step and objective of every report, sorted by step within a trial. If rungs are at seconds, the
            seconds of training in place of the step.
    """
    judged = [each for each in results.trials if _counts(each)]
    step = choose_step(results, judged)
    by_then = _by_then(reports, step, results)
    losses = {
        each.trial: math.inf if each.state is State.DIVERGED else by_then[each.trial]
        for each in judged
        if each.state is State.DIVERGED or (_came(results, each, step) and each.trial in by_then)
    }
    return CommonStep(step=step, unit=results.unit, losses=losses, judged=len(judged))


def choose_step(results: SweepResults, judged: Iterable[TrialResult]) -> int | None:
    """The last rung that most trials reached; None if most trials completed, or there is no rung."""
    judged = list(judged)
    ended = sum(each.state in (State.COMPLETED, State.DIVERGED) for each in judged)
    rungs = sorted({entry.rung for entry in results.entries}, reverse=True)
    if not rungs or ended >= MOST * len(judged):
        return None
    most = MOST * len(judged)
    return next((rung for rung in rungs if sum(_came(results, each, rung) for each in judged) >= most), rungs[-1])


def _counts(each: TrialResult) -> bool:
    return each.state is State.DIVERGED or (each.state is not State.FAILED and each.last_step is not None)


def _came(results: SweepResults, each: TrialResult, step: int | None) -> bool:
    if each.state in (State.COMPLETED, State.DIVERGED):
        return True  # its own end may lie before the step
    here = results.reached(each)
    return step is not None and here is not None and here >= step


def _by_then(
    reports: Iterable[tuple[int, float, float | None]], step: int | None, results: SweepResults
) -> dict[int, float]:
    """The loss of each trial up to the step: its best or its latest, as objective.at says.

    In seconds it is that up to the first report after them, by which the rung judged the trial.
    """
    objective, found = results.objective, dict[int, float]()
    sign = 1 if objective.mode == "min" else -1
    judged: set[int] = set()
    for trial, at, value in reports:
        if value is None or not math.isfinite(value) or trial in judged:
            continue
        if step is not None and at >= step:
            judged.add(trial)
        if step is not None and at > step and results.unit == "steps":
            continue
        loss = sign * value
        found[trial] = min(loss, found.get(trial, math.inf)) if objective.at == "best" else loss
    return found
