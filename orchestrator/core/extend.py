"""How a sweep goes on beyond what it was launched for: new totals, trials tried once more, longer trainings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.core.build import ladder
from orchestrator.core.rows import Origin, State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.errors import UserError
from orchestrator.spec import Spec, max_step
from orchestrator.spec.max_step import length_of
from trainables.contract import Declaration


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What a resume may change: absolute totals, not additions. None: as before."""

    trials: int | None = None
    hours: float | None = None
    max_steps: int | None = None  # of a full training
    concurrency: int | None = None
    max_gpus: float | None = None

    def overrides(self, spec: Spec, declaration: Declaration | None) -> list[str]:
        """As overrides of the spec.

        Raises:
            UserError: The length of a training cannot be changed so.
        """
        named = {
            "budget.trials": self.trials,
            "budget.hours": self.hours,
            "resources.concurrency": self.concurrency,
            "resources.max_gpus": self.max_gpus,
        }
        if self.max_steps is not None:
            named |= _lengthened(spec, declaration, self.max_steps)
        return [f"{key}={value}" for key, value in named.items() if value is not None]


def full_length(spec: Spec, declaration: Declaration | None) -> int | None:
    """The last step of a full training: where the scheduler or the trainable ends it, whichever comes first."""
    own = {} if declaration is None else declaration.defaults()
    length = {**own, **spec.fixed}.get(length_of(declaration))
    last = max_step(spec, declaration)
    return last if last is None or not isinstance(length, int) else min(last, length)


def _lengthened(spec: Spec, declaration: Declaration | None, steps: int) -> dict[str, Any]:
    """What makes a full training so many steps long, the rungs so far staying where they are."""
    before, rungs, length = full_length(spec, declaration), ladder(spec, declaration), length_of(declaration)
    if before is None:
        raise UserError("--max-steps: nothing says how long a training of this sweep is, so it cannot be made longer")
    if length in spec.distributions():
        raise UserError(f"--max-steps: {length} is searched, so each trial has a length of its own; launch a new sweep")
    if steps <= before:
        raise UserError(f"--max-steps is a total: a training has {before} steps already, so give more than that")
    if rungs is not None and rungs.brackets > 1:
        raise UserError("--max-steps: with several brackets a longer training would move the rungs of every trial")
    changes: dict[str, Any] = {}
    if spec.scheduler is not None and spec.scheduler.max is not None:
        changes["scheduler.max"] = steps
    if length in spec.fixed or (declaration is not None and length):
        changes[f"fixed.{length}"] = steps
    if rungs is not None:
        changes["scheduler.grace_period"] = rungs.grace_period
    return changes


def retry(sweep: Sweep, states: Collection[State], at: float) -> int:
    """Try what ended in one of these states once more, each as a new trial; returns how many.

    A trial that was tried once more before is left to its successor.
    """
    succeeded = {trial.retry_of for trial in sweep.trials}
    wanted = [trial for trial in sweep.trials if trial.state in states and trial.number not in succeeded]
    for trial in wanted:
        sweep.enqueue_trial(at, trial.config, Origin.RETRY, trial.number)
    return len(wanted)


def extend(sweep: Sweep, old_end: int, at: float) -> int:
    """A full training is longer than it was: the best of those that came to its old end go on; returns how many.

    The scheduler's cutoff among all of them says which, as at a rung where all have come; without one all go on. The
    search is told again when they end.

    Args:
        sweep: Of the longer training, with the old rungs as far as they went.
        old_end: The last step of a full training before.
        at: Now.
    """
    there = [trial for trial in sweep.trials if trial.state is State.COMPLETED and (trial.last_step or 0) >= old_end]
    cutoff = sweep.scheduler.cutoff_among([_last(trial) for trial in there])
    going_on = [trial for trial in there if not _beyond(trial, cutoff)]
    for trial in there:
        # A rung may lie where the end was: everyone enters it, and goes on or not by the cutoff among all.
        decisions = sweep.scheduler.report(trial.number, trial.last_step or 0, _last(trial))
        stops = trial not in going_on
        settled = [replace(each, cutoff=each.cutoff if cutoff is None else cutoff, stop=stops) for each in decisions]
        sweep.journal.rung_decisions(trial, at, settled)
    for trial in going_on:
        trial.reset_to_pending()
        sweep.trial_queue.enqueue(trial)
        why = "" if cutoff is None else f": {_last(trial):g} there is not worse than the cutoff {cutoff:g}"
        reason = f"goes on beyond step {trial.last_step}{why}"
        sweep.journal.trial_event(trial, at, "retry", decision="extension", reason=reason)
    return len(going_on)


def _beyond(trial: Trial, cutoff: float | None) -> bool:
    if cutoff is None:
        return False
    return _last(trial) > cutoff if trial.objective.mode == "min" else _last(trial) < cutoff


def _last(trial: Trial) -> float:
    assert trial.last is not None  # it completed
    return trial.last
