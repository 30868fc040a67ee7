"""The state machine of a sweep and its trials.

``ask`` returns the next attempt to start, ``on`` takes an event and returns whether its trial continues, ``take``
returns the rows to record. Search, scheduler, budgets, retries, duplicates, penalties and divergence meet only here,
so Ray Tune, the simulator and a resume all run the same sweep. No Ray, no clock, no I/O.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.core import events
from orchestrator.core.audit import Audit
from orchestrator.core.early_end import EarlyEnd
from orchestrator.core.first_reports import FirstReports
from orchestrator.core.gpu_packing import Choice, GpuShares, extra_slots
from orchestrator.core.journal import Journal, Rows
from orchestrator.core.limits import Limits
from orchestrator.core.new_trials import NewTrials
from orchestrator.core.node_health import QUICK_S, NodeHealth
from orchestrator.core.retries import Retries, Retry
from orchestrator.core.reuse import MOST_AT_ONCE, Training, repeat
from orchestrator.core.rows import (
    FINISHED,
    GPU_MEMORY,
    HALTED,
    PACKING,
    SUGGESTED,
    Config,
    Failure,
    MetricRow,
    Origin,
    State,
)
from orchestrator.core.rungs import Rungs
from orchestrator.core.schedulers import Action, Scheduler
from orchestrator.core.search import Search
from orchestrator.core.search_feedback import SearchFeedback
from orchestrator.core.standings import Standings
from orchestrator.core.step_unit import FullTraining
from orchestrator.core.suggested import add_found
from orchestrator.core.trial import Trial
from orchestrator.core.trial_queue import TrialQueue
from orchestrator.core.usage import Usage
from orchestrator.expressions.expression import EvaluationError
from orchestrator.spec import Objective, Space
from orchestrator.spec.sections import Unit
from orchestrator.spec.trial_resources import AS_ALL, Asked


class Sweep:
    """One sweep. Deterministic in its arguments and the sequence of calls.

    Attributes:
        space: The search space, which grows with what trials suggest.
        trials: All trials so far, by number.
        halted: Why the sweep ended early, in words; None if it did not.
        failed: Whether the sweep ended early because too many trials failed.
        used_up: Whether a budget, the target or patience ended it, so that it can only go on with another one.
        usage: The time that it has used, over all sessions.
        early_end: Why it ends before its last trial.
        gpu_shares: The share of a GPU that each trial gets.
        node_health: Which nodes are set aside.
        retries: What follows failures.
        rungs: What happens at rungs, and the trials that wait there.
        standings: Which trials are the best.
        new_trials, trial_queue, search_feedback, journal: Parts that a resume fills (replay.py, extend.py).
    """

    def __init__(
        self,
        *,
        space: Space,
        search: Search,
        scheduler: Scheduler,
        objective: Objective,
        limits: Limits,
        seed: int = 0,
        trial_seed: int | None = None,
        trained: Callable[[Config, int], Training | None] = lambda _config, _seed: None,
        start: Sequence[Config] = (),
        gpu_shares: GpuShares | None = None,
        asks: Callable[[Config], Asked] = lambda _config: AS_ALL,
        audit: Audit | None = None,
        unit: Unit = "steps",
        full_training: FullTraining | None = None,
        leaders: int = 1,
    ) -> None:
        self.space = space
        self.objective = objective
        self.limits = limits
        self.scheduler = scheduler
        self.gpu_shares = gpu_shares or GpuShares(limits.gpus_per_trial)
        self._asks = asks
        self.node_health = NodeHealth()
        self.trials: list[Trial] = []
        self.standings = Standings(self.trials, leaders=leaders)
        self.halted: str | None = None
        self.failed = False
        self.used_up = False
        self.trial_queue = TrialQueue(space=space, search=search, trials=limits.trials, start=start)
        full_s = limits.trial_seconds if unit == "seconds" else None
        self.search_feedback = SearchFeedback(search, full_s=None if full_s is None else math.ceil(full_s))
        self.journal = Journal()
        self.retries = Retries(
            limits=limits,
            node_health=self.node_health,
            queue=self.trial_queue,
            journal=self.journal,
            trials=self.trials,
        )
        self.rungs = Rungs(
            scheduler=scheduler,
            unit=unit,
            audit=audit or Audit(),
            feedback=self.search_feedback,
            journal=self.journal,
            trials=self.trials,
        )
        self.new_trials = NewTrials(
            self.trials,
            queue=self.trial_queue,
            journal=self.journal,
            bracket=scheduler.bracket,
            objective=objective,
            seed=seed,
            trial_seed=trial_seed,
            complete=space.complete,
            trained=trained,
        )
        self.usage = Usage()
        self.early_end = EarlyEnd(
            limits=limits, objective=objective, usage=self.usage, standings=self.standings, trials=self.trials
        )
        self._first_reports = FirstReports(full_training=full_training, rungs=self.rungs, trials=self.trials)
        self._live: set[int] = set()  # asked for and not ended
        self._stopping: str | None = None  # why every trial ends at its next report

    def begin(self, at: float, detail: Mapping[str, Any] | None = None) -> None:
        """Begin a session, unless one has begun; later rows belong to the session. The first ``ask`` calls this.

        Args:
            at: The time.
            detail: To be recorded with it.
        """
        if self.usage.begin(at):
            self.journal.note(at, "sweep", "began", detail)

    @property
    def best(self) -> Trial | None:
        """The best trial, running ones included; None before the first finite objective."""
        return self.standings.best

    # What to start ---------------------------------------------------------------------------------------------

    def ask(self, at: float) -> events.Start | None:
        """The next attempt to start; None if there is nothing to start now or at all (see ``finished``)."""
        self.begin(at)
        if self.halted is not None or self._stopping is not None:
            return None
        trial = self._next_that_can_be_placed(at)
        if trial is None:
            return None
        trial.hand_out(at, self.gpu_share(trial))
        self._live.add(trial.number)
        self.journal.trial_changed(trial)
        return events.Start(
            trial=trial.number,
            attempt=trial.attempts,
            config=trial.ordered,
            seed=trial.seed,
            rungs=self.rungs.ahead(trial),
            unit=self.rungs.unit,
            pauses=self.scheduler.pauses,
            recorded=trial.last_step,
            trained_s=trial.train_s,
            gpus=trial.gpus,
            asked=trial.asked,
            to_beat=self.standings.to_beat,
        )

    def _next_that_can_be_placed(self, at: float) -> Trial | None:
        """The next trial to start. Those before it fail whose resources cannot be computed."""
        while (trial := self._next_untrained_trial(at)) is not None and self.halted is None:
            try:
                self.find_resources(trial)
            except EvaluationError as error:
                message = f"resources: {error.problem}"
                self._fail(trial, at, Failure(type="ResourcesError", message=message, fingerprint="ResourcesError"))
                continue
            return trial
        return None

    def find_resources(self, trial: Trial) -> None:
        """Find out what the trial asks for.

        Raises:
            EvaluationError: A formula cannot be computed for its configuration.
        """
        trial.asked = self._asks(trial.config)

    def gpu_share(self, trial: Trial) -> float:
        """The GPUs of an attempt at a trial, unless it ran out of memory before."""
        own = trial.asked.all_gpus
        return self.gpu_shares.gpus if own is None else own

    def _next_untrained_trial(self, at: float) -> Trial | None:
        """The next trial to start. Those before it that an earlier sweep has trained are taken over."""
        for _ in range(MOST_AT_ONCE):
            trial = self._next_trial(at)
            training = None if trial is None else self.new_trials.taken.pop(trial.number, None)
            if trial is None or training is None:
                return trial
            self._take_over(trial, training, at)
            if self.halted is not None:
                return None
        return None

    def _take_over(self, trial: Trial, training: Training, at: float) -> None:
        """Record a training of an earlier sweep as a trial of this one, which takes no time, and enters no rung."""
        trial.hand_out(at, 0.0)
        trial.begin_attempt(at)
        self.journal.trial_event(trial, at, State.RUNNING)
        diverged = repeat(training, trial, at, self.journal)
        reason = f"taken over from trial {training.trial} of {training.sweep}: {diverged or training.reason}"
        if diverged:
            self._end(trial, State.DIVERGED, at, reason)
        else:
            self._complete(trial, at, reason)
        self._check_results(at)

    def _next_trial(self, at: float) -> Trial | None:
        """A waiting attempt, a paused trial that has earned its promotion, a new trial, or the best of what is left."""
        trial = self.trial_queue.due(at) or self.rungs.next(at, closing=False) or self.new_trials.propose(at)
        if trial is None and self.trial_queue.closed:
            trial = self.rungs.next(at, closing=True)
            if trial is None and not self._live and self.trial_queue.exhausted:
                for left in self.rungs:
                    self._not_promoted(left, at)
                trial = self.trial_queue.due(at)  # one that is audited
        return trial

    def enqueue_trial(self, at: float, config: Config, origin: Origin, retry_of: int | None = None) -> None:
        """Create a trial in addition to those that the search proposes, to be started next."""
        self.trial_queue.enqueue(self.new_trials.create(at, config, origin, retry_of))

    @property
    def total(self) -> int | None:
        """The expected number of trials; None if no number ends the sweep."""
        if self.exhausted:
            return len(self.trials)
        if self.limits.trials is None:
            return None
        return len(self.trials) - self.trial_queue.proposed + self.limits.trials

    @property
    def due(self) -> float | None:
        """When the next waiting attempt may start; None if no attempt waits."""
        return self.trial_queue.next_at

    @property
    def exhausted(self) -> bool:
        """Whether no further attempt will be started, except to retry a running one."""
        return self.halted is not None or (self.trial_queue.exhausted and not self.rungs)

    @property
    def finished(self) -> bool:
        """Whether no attempt is running and none will be started."""
        return self.exhausted and not self._live

    @property
    def live(self) -> int:
        """The number of attempts that were handed out and have not ended."""
        return len(self._live)

    def live_trials(self) -> list[Trial]:
        """The trials of these attempts."""
        return [self.trials[number] for number in self._live]

    @property
    def surplus(self) -> int:
        """How many slots the live attempts take beyond one each, because some have a larger share of a GPU."""
        if not 0 < self.gpu_shares.gpus < 1:
            return 0
        return sum(extra_slots(self.trials[number].gpus, self.gpu_shares.gpus) for number in self._live)

    # What happened ---------------------------------------------------------------------------------------------

    def on(self, event: events.Event) -> bool:
        """Handle an event; returns whether its trial continues. Events after a trial's end change nothing."""
        match event:
            case events.Ticked():
                self._check_time(event.at)
                return True
            case events.Halted():
                self._halt(event.at, event.reason)
                return False
            case events.StopAfterNextReport():
                self._stop_at_next_reports(event.at, event.reason)
                return True
            case events.ConfigAdded():
                self._added(event)
                return True
            case events.Noted():
                self.journal.note(event.at, "note", event.text)
                return True
        if event.trial >= len(self.trials):
            return False  # a stop was requested for a trial that does not exist
        trial = self.trials[event.trial]
        if trial.state.ended:
            return False
        if trial.state is State.PAUSED:
            if isinstance(event, events.TrialStopRequested):
                self._end(trial, State.CANCELLED, event.at, event.reason)
            return False
        self.journal.trial_changed(trial)
        match event:
            case events.Started():
                trial.begin_attempt(event.at)
                self.journal.trial_event(trial, event.at, State.RUNNING)
            case events.Suggested():
                self._suggested(trial, event)
            case events.Reported():
                self._reported(trial, event)
            case events.Finished():
                self.usage.train(trial, event.train_s)
                self._say(event.at, self._first_reports.at_end(trial))
                self._finish(trial, event.at, FINISHED)
            case events.Failed():
                self.usage.train(trial, event.train_s)
                self._failed(trial, event)
            case events.NotStarted():
                self._not_started(trial, event)
            case events.TrialStopRequested():
                trial.stop_requested = event.reason
        self._check_results(event.at)
        if self._stopping is not None:
            self._stop_at_next_reports(event.at, self._stopping)
        return trial.state is State.RUNNING

    def _suggested(self, trial: Trial, event: events.Suggested) -> None:
        """Take what a trial has asked for as its configuration, and what is new into the space."""
        changed = add_found(self.space, event.parameters)
        if changed is not None:
            self._fail(trial, event.at, changed)
            return
        config = {name: value for name, (value, _) in event.parameters.items() if name not in self.space.fixed}
        if config != trial.config:
            trial.suggest(config)
            self.journal.trial_event(trial, event.at, SUGGESTED, detail={"config": config})
            self.search_feedback.running(trial)

    def _reported(self, trial: Trial, event: events.Reported) -> None:
        trial.node, trial.gpu_ids = event.node, event.gpu_ids
        if event.reports and trial.ran_s(event.at) >= QUICK_S:
            self.node_health.record_success(trial.node)
        for report in event.reports:
            before = trial.train_s
            self._say(event.at, self._first_reports.at_step(trial, report.step))
            row = trial.report(report, event.at)
            self.usage.add(trial, trial.train_s - before)
            if event.gpu_gb and (peak_gb := report.metrics.get(GPU_MEMORY)):
                self._choose(event.at, self.gpu_shares.measured(trial.number, peak_gb=peak_gb, size_gb=event.gpu_gb))
            if row is None:
                continue
            self.journal.report(row)
            value = row.metrics.get(self.objective.metric)
            if value is not None:
                pausable = row.step == event.saved and report is event.reports[-1]
                self.objective_reported(trial, event.at, row, value, pausable=pausable)
            elif last := self.limits.completes(row.step - 1):  # without the objective, which may be misspelt
                self._finish(trial, event.at, last)
            else:
                self._say(event.at, self._first_reports.without_objective(trial))
            if trial.state.ended or trial.state is State.PAUSED:
                return
        if event.reports and trial.stop_requested is not None:
            self._end(trial, State.CANCELLED, event.at, trial.stop_requested)
        elif event.reports and self._stopping is not None:
            self._end(trial, State.CANCELLED, event.at, self._stopping, decision=HALTED)

    def objective_reported(self, trial: Trial, at: float, row: MetricRow, value: float, *, pausable: bool) -> None:
        """Take the objective of a trial at a step, and decide whether the trial completes, ends or pauses there.

        Args:
            trial: The trial.
            at: The time.
            row: The report, as it is recorded: its step and its seconds of training are all that decisions depend on.
            value: The objective.
            pausable: Whether the trial's state at this step is saved.
        """
        if self.objective.diverges(value):
            self._diverge(trial, at, f"{self.objective.metric} was {value:g} at step {row.step}")
            return
        trial.measure(row.step, value)
        last = self.limits.completes(row.step, row.train_s)
        if last is not None:
            self._complete(trial, at, last)
            return
        self.standings.update(trial)
        self._say(at, self._first_reports.with_objective(trial, row))
        decision = self.rungs.reach(trial, at, row, value, pausable=pausable)
        if decision is not None and decision.action is Action.STOP:
            place = f"{decision.value:g} at rung {self.rungs.name(decision.rung)}"
            why = f"{place}, {decision.why_stopped(self.objective.mode)}"
            self._end(trial, State.STOPPED, at, why, value=decision.value)
        elif decision is not None and decision.action is Action.PAUSE:
            self._live.discard(trial.number)
            self.early_end.count(trial, State.PAUSED, trial.result, None)
            for surplus in self.rungs.surplus():
                self._not_promoted(surplus, at)

    def _say(self, at: float, text: str | None) -> None:
        if text is not None:
            self.journal.note(at, "note", text)

    def _finish(self, trial: Trial, at: float, reason: str) -> None:
        if trial.last is None:
            self._fail(trial, at, trial.never_reported_failure())
        else:
            self._complete(trial, at, reason)

    def _failed(self, trial: Trial, event: events.Failed) -> None:
        if event.numerical:
            trial.failure = event.failure
            self._diverge(trial, event.at, f"{event.failure.type}: {event.failure.message}")
        elif (retry := self.retries.after_failure(trial, event)) is not None:
            self._retry(trial, event.at, retry)
        else:
            self._fail(trial, event.at, event.failure)

    def _not_started(self, trial: Trial, event: events.NotStarted) -> None:
        if self.retries.after_false_start(trial, event):
            self._live.discard(trial.number)
            self.trial_queue.requeue(trial)
        else:
            self._fail(trial, event.at, event.failure)

    def _added(self, event: events.ConfigAdded) -> None:
        if self.trial_queue.tried(event.config):
            self.journal.note(event.at, "note", f"ignored a configuration added by {event.by}: it was tried before")
        elif self.halted is None and self._stopping is None:
            self.enqueue_trial(event.at, event.config, Origin.ADDED)

    def _check_time(self, at: float) -> None:
        reason = self.early_end.by_budget(at)
        if reason is not None:
            self._use_up(at, reason)
        self._check_results(at)  # what a resume has read from the records may end the sweep

    def _check_results(self, at: float) -> None:
        if self.halted is not None or self._stopping is not None:
            return
        reason = self.early_end.by_results(self._live)
        if reason is not None:
            self._use_up(at, reason)

    def _use_up(self, at: float, reason: str) -> None:
        self.used_up = self.used_up or self.halted is None
        self._halt(at, reason)

    def _choose(self, at: float, choice: Choice | None) -> None:
        if choice is not None:
            self.journal.note(at, PACKING, choice.reason, {"gpus": choice.gpus})

    # How trials end --------------------------------------------------------------------------------------------

    def _complete(self, trial: Trial, at: float, reason: str) -> None:
        assert trial.result is not None
        self._end(trial, State.COMPLETED, at, reason, value=trial.result)

    def _diverge(self, trial: Trial, at: float, reason: str) -> None:
        self.rungs.diverge(trial, at)
        self._end(trial, State.DIVERGED, at, reason)

    def _fail(self, trial: Trial, at: float, failure: Failure) -> None:
        trial.fail(failure)
        self._end(trial, State.FAILED, at, f"{failure.type}: {failure.message}")
        self._check_failures(at)

    def _retry(self, trial: Trial, at: float, retry: Retry) -> None:
        trial.end_attempt(at)
        trial.state = State.PENDING
        self._live.discard(trial.number)
        self.trial_queue.requeue(trial, not_before=at + retry.wait_s)
        detail = None if trial.failure is None else dataclasses.asdict(trial.failure)
        if detail is not None and retry.gpus is not None:
            detail["gpus"] = retry.gpus
        self.journal.trial_event(trial, at, "retry", decision=retry.cause, reason=retry.reason, detail=detail)

    def _not_promoted(self, trial: Trial, at: float) -> None:
        if self.rungs.run_on(trial, at):
            self.trial_queue.requeue(trial)
            return
        value = self.rungs.value(trial)
        self._end(trial, State.STOPPED, at, f"not promoted beyond rung {self.rungs.name(trial.rung)}", value=value)

    def _end(
        self,
        trial: Trial,
        state: State,
        at: float,
        reason: str,
        *,
        value: float | None = None,
        decision: str | None = None,
    ) -> None:
        if trial.state is State.PAUSED:
            self.rungs.release(trial)
        trial.end_attempt(at)
        trial.state, trial.reason, trial.ended_at = state, reason, at
        self._live.discard(trial.number)
        if state in (State.COMPLETED, State.STOPPED):
            self.node_health.record_success(trial.node)
        self.standings.update(trial)
        self.journal.trial_ended(trial, at, value=value, decision=decision)
        self.search_feedback.ended(trial, value, trial.last_step, trial.train_s)
        self.early_end.count(trial, state, trial.result, decision)
        if state not in (State.FAILED, State.CANCELLED):
            self._choose(at, self.gpu_shares.ended(trial.number))

    def _check_failures(self, at: float) -> None:
        reason = self.early_end.by_failures()
        if reason is not None:
            self.failed = True
            self._halt(at, reason)

    def _halt(self, at: float, reason: str) -> None:
        if self.halted is not None:
            return
        self.halted = reason
        self.journal.note(at, "sweep", reason)
        for trial in [*(self.trials[number] for number in sorted(self._live)), *self.trial_queue.clear()]:
            self._end(trial, State.CANCELLED, at, reason, decision=HALTED)

    def _stop_at_next_reports(self, at: float, reason: str) -> None:
        self._stopping = reason
        if not any(self.trials[number].state is State.RUNNING for number in self._live):
            self._halt(at, reason)

    # What is recorded ------------------------------------------------------------------------------------------

    def take(self, now: float) -> Rows:
        """The rows since the last call, to be recorded in this order: metrics, events, trials."""
        return self.journal.take(now)
