"""How trials compare at one step that most of them came to: what their result was by then.

ASHA stops most trials early, so their last values are of different steps and cannot be compared. Here all are looked
at where they were still together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import State

MOST = 2 / 3
"""The share of trials that must have come to a step; of the steps at which that is so, the last one is taken."""


@dataclass(frozen=True, kw_only=True)
class CommonStep:
    """The losses of trials at a step: less is better, whatever the objective's mode; infinity if a trial diverged."""

    step: int | None  # None: each at its own end
    losses: Mapping[int, float]  # by trial
    judged: int  # trials that could have come there: all that reported, but failed ones

    def ranks(self) -> dict[int, float]:
        """The place of each trial from 1, the best; equals, as diverged ones, share theirs."""
        from scipy.stats import rankdata

        return dict(zip(self.losses, rankdata(list(self.losses.values())).tolist(), strict=True))

    def sentence(self) -> str:
        """Where they were compared."""
        where = "at their ends" if self.step is None else f"at step {self.step}, to which most came"
        return f"{len(self.losses)} of {self.judged} trials, compared {where}"


def compare_at_common_step(results: SweepResults, reports: Iterable[tuple[int, int, float | None]]) -> CommonStep:
    """Choose the step, and compare the trials there.

    Args:
        evidence: The sweep's trials and the rungs that they entered.
        reports: Trial, step and objective of every report, each trial's in the order of their steps.
    """
    judged = [each for each in results.outcomes if _counts(each)]
    step = choose_step(results, judged)
    by_then = _by_then(reports, step, results.objective)
    losses = {
        each.trial: math.inf if each.state is State.DIVERGED else by_then[each.trial]
        for each in judged
        if each.state is State.DIVERGED or (_came(each, step) and each.trial in by_then)
    }
    return CommonStep(step=step, losses=losses, judged=len(judged))


def choose_step(results: SweepResults, judged: Iterable[TrialResult]) -> int | None:
    """The last rung that most trials came to; None if most came to their own end, or there is no rung."""
    judged = list(judged)
    ended = sum(each.state in (State.COMPLETED, State.DIVERGED) for each in judged)
    rungs = sorted({entry.rung for entry in results.entries}, reverse=True)
    if not rungs or ended >= MOST * len(judged):
        return None
    return next((rung for rung in rungs if sum(_came(each, rung) for each in judged) >= MOST * len(judged)), rungs[-1])


def _counts(each: TrialResult) -> bool:
    return each.state is State.DIVERGED or (each.state is not State.FAILED and each.last_step is not None)


def _came(each: TrialResult, step: int | None) -> bool:
    if each.state in (State.COMPLETED, State.DIVERGED):
        return True  # its own end may lie before the step
    return step is not None and each.last_step is not None and each.last_step >= step


def _by_then(
    reports: Iterable[tuple[int, int, float | None]], step: int | None, objective: Objective
) -> dict[int, float]:
    """The loss of each trial by the step: its best so far, or its latest, as the objective says."""
    sign = 1 if objective.mode == "min" else -1
    found: dict[int, float] = {}
    for trial, at, value in reports:
        if value is None or not math.isfinite(value) or (step is not None and at > step):
            continue
        loss = sign * value
        found[trial] = min(loss, found.get(trial, math.inf)) if objective.at == "best" else loss
    return found
