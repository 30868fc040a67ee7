"""Extends a sweep beyond its launch: larger totals, retried trials, longer trainings."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orchestrator.core.ladder import Ladder, ladder
from orchestrator.core.rows import FINISHED, Origin, State
from orchestrator.core.rung_unit import reached
from orchestrator.core.schedulers import Action, Decision
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.errors import UserError
from orchestrator.formatting import duration
from orchestrator.spec import Spec, max_step
from orchestrator.spec.max_step import length_of, max_seconds
from trainables.declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What a resume may change: totals, not additions. None: unchanged."""

    trials: int | None = None
    hours: float | None = None
    target: float | None = None
    patience: int | None = None
    max_steps: int | None = None  # of a full training
    max_time: float | None = None  # seconds of training after which a trial is completed
    concurrency: int | None = None
    max_gpus: float | None = None

    def overrides(self, spec: Spec, declaration: Declaration | None) -> list[str]:
        """The extension as overrides of the spec.

        Raises:
            UserError: The length of a training cannot be changed in this way.
        """
        named = {
            "budget.trials": self.trials,
            "budget.hours": self.hours,
            "budget.target": self.target,
            "budget.patience": self.patience,
            "resources.concurrency": self.concurrency,
            "resources.max_gpus": self.max_gpus,
        }
        if self.max_steps is not None:
            named |= _lengthened(spec, declaration, self.max_steps)
        if self.max_time is not None:
            named |= _prolonged(spec, declaration, self.max_time)
        return [f"{key}={value}" for key, value in named.items() if value is not None]


def full_length(spec: Spec, declaration: Declaration | None) -> int | None:
    """The last step of a full training: where the scheduler or the trainable ends it, whichever comes first."""
    own = {} if declaration is None else declaration.defaults()
    length = {**own, **spec.fixed}.get(length_of(declaration))
    last = max_step(spec, declaration)
    return last if last is None or not isinstance(length, int) else min(last, length)


def _lengthened(spec: Spec, declaration: Declaration | None, steps: int) -> dict[str, Any]:
    """The overrides that make a full training ``steps`` long and keep the existing rungs."""
    before, length = full_length(spec, declaration), length_of(declaration)
    rungs = None if spec.rung_unit == "seconds" else ladder(spec, declaration)  # those at seconds stay where they are
    if before is None:
        raise UserError("--max-steps: the length of this sweep's trainings is unknown, so they cannot be extended")
    if length in spec.distributions():
        raise UserError(
            f"--max-steps: {length} is a searched parameter, so every trial has its own length; launch a new sweep"
        )
    if steps < before:
        raise UserError(f"--max-steps is a total and cannot be less than {before}, the current length of a training")
    if steps == before:
        return {}
    _check_that_rungs_stay(rungs, "--max-steps")
    changes: dict[str, Any] = {}
    if spec.scheduler is not None and spec.scheduler.max is not None and not spec.scheduler.in_seconds:
        changes["scheduler.max"] = steps
    if length in spec.fixed or (declaration is not None and length):
        changes[f"fixed.{length}"] = steps
    if rungs is not None:
        changes["scheduler.grace_period"] = rungs.grace_period
    return changes


def _prolonged(spec: Spec, declaration: Declaration | None, seconds: float) -> dict[str, Any]:
    """The overrides that let trainings take ``seconds``, and keep the existing rungs."""
    before, scheduler = max_seconds(spec), spec.scheduler
    if before is None:
        raise UserError("--max-time: no time ends this sweep's trainings (trial.max_time), so they cannot be extended")
    if seconds < before:
        raise UserError(f"--max-time is a total and cannot be less than {duration(before)}, the time of a training")
    if seconds == before:
        return {}
    rungs = ladder(spec, declaration) if spec.rung_unit == "seconds" else None
    _check_that_rungs_stay(rungs, "--max-time")
    changes: dict[str, Any] = {}
    if spec.trial.max_time is not None and spec.trial.max_time < seconds:
        changes["trial.max_time"] = seconds
    if scheduler is not None and scheduler.in_seconds and scheduler.max is not None and scheduler.max < seconds:
        changes["scheduler.max"] = math.ceil(seconds)
    if rungs is not None:
        changes["scheduler.grace_period"] = rungs.grace_period
    return changes


def _check_that_rungs_stay(rungs: Ladder | None, option: str) -> None:
    if rungs is not None and rungs.brackets > 1:
        raise UserError(
            f"{option} does not work with several brackets: a longer training would move the rungs of every trial"
        )
    if rungs is not None and rungs.method == "median":
        raise UserError(f"{option} does not work with median: a longer training would move its decisions")


def retry(sweep: Sweep, states: Collection[State], at: float) -> int:
    """Retry every trial that ended in one of these states, each as a new trial; returns how many.

    A trial that was retried before is skipped; its retry may be retried.
    """
    retried = {trial.retry_of for trial in sweep.trials}
    to_retry = [trial for trial in sweep.trials if trial.state in states and trial.number not in retried]
    for trial in to_retry:
        sweep.enqueue_trial(at, trial.config, Origin.RETRY, trial.number)
    return len(to_retry)


def extend(sweep: Sweep, old_end: int | None, at: float, *, old_s: float | None = None) -> int:
    """Continue the best completed trials, after a full training was made longer; returns how many.

    The cutoff among all completed trials decides, as at a synchronous rung; without a scheduler all continue. Their
    results are passed to the search again when they end.

    Args:
        sweep: A sweep with the longer training and the old rungs.
        old_end: The last step of a full training before; None: that is as it was.
        at: The time, in seconds since the epoch.
        old_s: The seconds of training that completed a trial before; None: as old_end.
    """
    by_time = {trial.number for trial in sweep.trials if old_s is not None and _ended_by_time(sweep, trial, old_s)}
    completed = [
        trial
        for trial in sweep.trials
        if trial.number in by_time
        or (trial.state is State.COMPLETED and old_end is not None and (trial.last_step or 0) >= old_end)
    ]
    cutoff = sweep.scheduler.cutoff_among([_last(trial) for trial in completed])
    continuing = [trial for trial in completed if not _worse(trial, cutoff)]
    for trial in completed:
        # There may be a rung at the old end: every trial enters it, and the cutoff among all decides.
        action = Action.CONTINUE if trial in continuing else Action.STOP
        here = reached(sweep.rungs.unit, trial.last_step or 0, trial.train_s)
        for rung in sweep.scheduler.rungs(trial.number):
            if cutoff is not None and (trial.rung or 0) < rung <= here:
                decision = Decision(rung=rung, value=_last(trial), cutoff=cutoff, action=action)
                sweep.scheduler.restore(trial.number, decision)
                sweep.rungs.record(trial, at, [decision])
    for trial in continuing:
        trial.reset_to_pending()
        sweep.trial_queue.enqueue(trial)
        why = "" if cutoff is None else f": {_last(trial):g} there is not worse than the cutoff {cutoff:g}"
        end = f"{duration(trial.train_s)} of training" if trial.number in by_time else f"step {trial.last_step}"
        reason = f"continues beyond {end}{why}"
        sweep.journal.trial_event(trial, at, "retry", decision="extension", reason=reason)
    sweep.standings.rebuild()
    return len(continuing)


def _ended_by_time(sweep: Sweep, trial: Trial, old_s: float) -> bool:
    """Whether a trial was completed because it had trained for so long, and nothing else completes it now."""
    timed = trial.state is State.COMPLETED and trial.reason != FINISHED and trial.train_s >= old_s
    return timed and sweep.limits.completes(trial.last_step or 0, trial.train_s) is None


def _worse(trial: Trial, cutoff: float | None) -> bool:
    if cutoff is None:
        return False
    return _last(trial) > cutoff if trial.objective.mode == "min" else _last(trial) < cutoff


def _last(trial: Trial) -> float:
    assert trial.last is not None  # it completed
    return trial.last
