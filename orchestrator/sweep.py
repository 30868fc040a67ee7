"""The life of a sweep and of its trials, as a pure state machine.

``ask`` says what to start, ``on`` takes what happened and says whether the trial goes on, ``take`` hands over the
rows to be recorded. Search, scheduler, budgets, retries, duplicates, penalties and divergence come together here and
nowhere else, so Ray Tune, the simulator and a resume all get the same sweep. No Ray, no clock, no I/O.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import random
from collections.abc import Sequence

from orchestrator import events
from orchestrator.journal import Journal, Rows
from orchestrator.life import Life, better
from orchestrator.limits import Limits
from orchestrator.rows import Config, Failure, MetricRow, State
from orchestrator.schedule import Scheduler
from orchestrator.search import Search
from orchestrator.spec import Objective, Space
from orchestrator.telling import Teller

HALTED = "halted"
"""The decision recorded with a cancelled trial that ended with the sweep: it goes on when the sweep does."""

FALSE_STARTS = 3
"""So often may a trial's worker die before the trial has begun, without this being held against the trial."""


class Sweep:
    """One sweep. Deterministic in its arguments and the sequence of calls.

    Attributes:
        trials: All trials so far, by number.
        best: The best of them, running ones included; None before the first finite objective.
        halted: Why the whole sweep ended early, in words; None if it did not.
        failed: Whether that was a failure.
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
        start: Sequence[Config] = (),
    ) -> None:
        self.objective = objective
        self.limits = limits
        self.scheduler = scheduler
        self.trials: list[Life] = []
        self.best: Life | None = None
        self.halted: str | None = None
        self.failed = False
        self._space = space
        self._search = search
        self._teller = Teller(search, objective.mode)
        self._journal = Journal()
        self._seed = seed
        self._points = list(start)
        self._tried: set[str] = set()
        self._live: set[int] = set()  # asked for and not ended
        self._again: list[Life] = []  # to be attempted again
        self._no_more = False  # no new configurations
        self._draining: str | None = None  # why no trial goes on beyond its next report
        self._began: float | None = None
        self._used_s = 0.0  # in earlier sessions
        self._trained_s = 0.0  # over all trials and sessions

    # What to start ---------------------------------------------------------------------------------------------

    def ask(self, at: float) -> events.Start | None:
        """The next attempt to start; None if there is nothing to start now, or ever (see ``exhausted``)."""
        if self._began is None:
            self._began = at
            self._journal.noted(at, "sweep", "began")
        if self.halted is not None or self._draining is not None:
            return None
        life = self._again.pop(0) if self._again else self._new_trial(at)
        if life is None:
            return None
        life.attempts += 1
        self._live.add(life.number)
        self._journal.changed(life)
        return events.Start(
            trial=life.number,
            attempt=life.attempts,
            config=life.config,
            seed=life.seed,
            rungs=self.scheduler.rungs(life.number),
        )

    def _new_trial(self, at: float) -> Life | None:
        number = len(self.trials)
        config = self._next_config(number) if number < self.limits.trials else None
        if config is None:
            if number < self.limits.trials and not self._no_more:
                self._journal.noted(at, "note", f"the space is used up after {number} different configurations")
            self._no_more = True
            return None
        life = self.born(config)
        self._journal.happened(life, at, State.PENDING, detail={"config": config})
        return life

    def born(self, config: Config) -> Life:
        """The next trial, with this configuration."""
        number = len(self.trials)
        self._tried.add(self._space.key(config))
        life = Life(
            number=number,
            config=config,
            seed=random.Random(f"{self._seed}/{number}/trial").getrandbits(31),
            bracket=self.scheduler.bracket(number),
            objective=self.objective,
        )
        self.trials.append(life)
        return life

    def _next_config(self, number: int) -> Config | None:
        while self._points:
            config = self._points.pop(0)
            if self._acceptable(config):
                self._search.resume(number, config)
                return config
        return self._search.ask(number, self._acceptable)

    def _acceptable(self, config: Config) -> bool:
        return self._space.key(config) not in self._tried and self._space.feasible(config)

    @property
    def exhausted(self) -> bool:
        """Whether no further attempt will be started, unless one that runs has to be repeated."""
        no_more = self._no_more or len(self.trials) >= self.limits.trials
        return self.halted is not None or (no_more and not self._again)

    @property
    def finished(self) -> bool:
        """Nothing runs, and nothing will."""
        return self.exhausted and not self._live

    @property
    def live(self) -> int:
        """How many attempts were asked for and have not ended."""
        return len(self._live)

    # What happened ---------------------------------------------------------------------------------------------

    def on(self, event: events.Event) -> bool:
        """Take an event; returns whether its trial goes on. What comes after a trial's end changes nothing."""
        match event:
            case events.Ticked():
                self._check_time(event.at)
                return True
            case events.Halted():
                self._halt(event.at, event.reason)
                return False
            case events.Drained():
                self._drain(event.at, event.reason)
                return True
        if event.trial >= len(self.trials):
            return False  # somebody asked for the end of a trial that never was
        life = self.trials[event.trial]
        if life.state.ended:
            return False
        self._journal.changed(life)
        match event:
            case events.Started():
                life.begin_attempt(event.at)
                self._journal.happened(life, event.at, State.RUNNING)
            case events.Reported():
                self._reported(life, event)
            case events.Returned():
                self._trained(life, event.train_s)
                self._came_to_its_end(life, event.at, "the trainable came to its end")
            case events.Raised():
                self._trained(life, event.train_s)
                self._raised(life, event)
            case events.NotStarted():
                self._not_started(life, event)
            case events.Dismissed():
                life.dismissed = event.reason
        return life.state is State.RUNNING

    def _reported(self, life: Life, event: events.Reported) -> None:
        life.node, life.gpu_ids = event.node, event.gpu_ids
        for measurement in event.measurements:
            before = life.train_s
            row = life.report(measurement)
            self._trained_s += life.train_s - before
            if row is None:
                continue
            self._journal.measured(row)
            value = measurement.metrics.get(self.objective.metric)
            if value is not None:
                self._measured(life, event.at, row.step, value)
            elif self._is_last(row.step):  # without the objective: whoever misspelt it need not wait for ever
                self._came_to_its_end(life, event.at, self._last_step_reached)
            if life.state.ended:
                return
        if event.measurements and life.dismissed is not None:
            self._end(life, State.CANCELLED, event.at, life.dismissed)
            self._teller.nothing(life)
        elif event.measurements and self._draining is not None:
            self._end(life, State.CANCELLED, event.at, self._draining, decision=HALTED)
            self._teller.nothing(life)

    def _measured(self, life: Life, at: float, step: int, value: float) -> None:
        if self.objective.diverges(value):
            self._diverge(life, at, f"{self.objective.metric} was {value:g} at step {step}")
            return
        life.measure(step, value)
        decisions = self.scheduler.report(life.number, step, value)
        self._journal.decided(life, at, decisions)
        cut = next((decision for decision in decisions if decision.stop), None)
        if cut is not None:
            reason = f"{value:g} at rung {cut.rung}, worse than the cutoff {cut.cutoff:g}"
            self._end(life, State.STOPPED, at, reason, value=cut.value)
            self._teller.result(life, cut.value, step=cut.rung)
        elif self._is_last(step):
            self._complete(life, at, self._last_step_reached)
        elif self.best is None or better(life, self.best):
            self.best = life

    def _is_last(self, step: int) -> bool:
        return self.limits.max_step is not None and step >= self.limits.max_step

    @property
    def _last_step_reached(self) -> str:
        return f"reached the last step, {self.limits.max_step}"

    def _came_to_its_end(self, life: Life, at: float, reason: str) -> None:
        if life.last is None:
            self._fail(life, at, _never_reported(self.objective.metric, life.metrics))
        else:
            self._complete(life, at, reason)

    def _raised(self, life: Life, event: events.Raised) -> None:
        failure = event.failure
        reason = f"{failure.type}: {failure.message}"
        if event.numerical:
            life.failure = failure
            self._diverge(life, event.at, reason)
        elif event.preempted:
            life.preemptions += 1
            self._retry(life, event.at, "preemption", reason)
        elif life.failures < self.limits.retries and not life.fails_like_before(failure):
            life.fail(failure)
            self._retry(life, event.at, "failure", reason)
        else:
            self._fail(life, event.at, failure)

    def _not_started(self, life: Life, event: events.NotStarted) -> None:
        life.attempts -= 1
        life.false_starts += 1
        if life.false_starts > FALSE_STARTS:
            self._fail(life, event.at, event.failure)
        else:
            self._live.discard(life.number)
            self._again.append(life)

    def _check_time(self, at: float) -> None:
        used = self._used_s + (0.0 if self._began is None else at - self._began)
        reason = self.limits.used_up(used, self._trained_s)
        if reason is not None:
            self._halt(at, reason)

    def _trained(self, life: Life, seconds: float) -> None:
        before = life.train_s
        life.train(seconds)
        self._trained_s += life.train_s - before

    # How trials end --------------------------------------------------------------------------------------------

    def _complete(self, life: Life, at: float, reason: str) -> None:
        assert life.result is not None
        self._end(life, State.COMPLETED, at, reason, value=life.result)
        self._teller.result(life, life.result)

    def _diverge(self, life: Life, at: float, reason: str) -> None:
        self._journal.decided(life, at, self.scheduler.diverge(life.number))
        self._end(life, State.DIVERGED, at, reason)
        self._teller.diverged(life)

    def _fail(self, life: Life, at: float, failure: Failure) -> None:
        life.fail(failure)
        self._end(life, State.FAILED, at, f"{failure.type}: {failure.message}")
        self._teller.nothing(life)
        self._check_failures(at)

    def _retry(self, life: Life, at: float, cause: str, reason: str) -> None:
        life.end_attempt(at)
        life.state = State.PENDING
        self._live.discard(life.number)
        self._again.append(life)
        detail = None if life.failure is None else dataclasses.asdict(life.failure)
        self._journal.happened(life, at, "retry", decision=cause, reason=reason, detail=detail)

    def _end(
        self,
        life: Life,
        state: State,
        at: float,
        reason: str,
        *,
        value: float | None = None,
        decision: str | None = None,
    ) -> None:
        life.end_attempt(at)
        life.state, life.reason, life.ended_at = state, reason, at
        self._live.discard(life.number)
        if state in (State.DIVERGED, State.FAILED):
            if self.best is life:
                self.best = self._find_best()
        elif life.result is not None and (self.best is None or better(life, self.best)):
            self.best = life
        detail = None if life.failure is None else dataclasses.asdict(life.failure)
        self._journal.happened(life, at, state, value=value, decision=decision, reason=reason, detail=detail)
        if self._draining is not None:
            self._drain(at, self._draining)

    def _check_failures(self, at: float) -> None:
        failed = sum(life.state is State.FAILED for life in self.trials)
        reason = self.limits.too_many(failed, hopeful=any(life.last is not None for life in self.trials))
        if reason is not None:
            self.failed = True
            self._halt(at, reason)

    def _halt(self, at: float, reason: str) -> None:
        if self.halted is not None:
            return
        self.halted = reason
        self._journal.noted(at, "sweep", reason)
        waiting, self._again = self._again, []
        for life in [*(self.trials[number] for number in sorted(self._live)), *waiting]:
            self._end(life, State.CANCELLED, at, reason, decision=HALTED)
            self._teller.nothing(life)

    def _drain(self, at: float, reason: str) -> None:
        self._draining = reason
        if not any(self.trials[number].state is State.RUNNING for number in self._live):
            self._halt(at, reason)

    def _find_best(self) -> Life | None:
        best = None
        for life in self.trials:
            if life.state in (State.DIVERGED, State.FAILED) or life.result is None:
                continue
            if best is None or better(life, best):
                best = life
        return best

    # A restart: replay.py brings a machine that has not begun to where the recorded one was -----------------------

    def reenter(self, life: Life, rung: int, value: float | None) -> None:
        """The trial entered a rung, and what was decided there stands."""
        if value is None or not math.isfinite(value):
            self.scheduler.diverge(life.number)
        else:
            self.scheduler.report(life.number, rung, value)

    def retell(self, life: Life, value: float | None) -> None:
        """The trial ended, with this value told to the search."""
        if life.state is State.DIVERGED:
            self._teller.diverged(life)
        elif life.state in (State.COMPLETED, State.STOPPED) and value is not None:
            self._teller.result(life, value, step=life.rung if life.state is State.STOPPED else None)

    def recall(self, life: Life, row: MetricRow) -> None:
        """The trial reported this."""
        before = life.train_s
        life.recall(row)
        self._trained_s += life.train_s - before
        value = row.metrics.get(self.objective.metric)
        if value is not None and not self.objective.diverges(value):
            life.measure(row.step, value)

    def revive(self, life: Life, rows: Sequence[MetricRow], at: float) -> None:
        """The trial had not ended: decide what was due and is not recorded, and attempt it again if it goes on."""
        life.interrupt()
        self._search.resume(life.number, life.config)
        for row in rows:
            value = row.metrics.get(self.objective.metric)
            if value is not None and not life.state.ended:
                self._measured(life, at, row.step, value)
        if not life.state.ended:
            self._again.append(life)

    def resume(self, used_s: float) -> None:
        """All is told: so many seconds were used in earlier sessions. The table of trials is to catch up."""
        for life in self.trials:
            self._journal.changed(life)
        self._used_s = used_s
        self.best = self._find_best()

    # What is recorded ------------------------------------------------------------------------------------------

    def take(self, now: float) -> Rows:
        """The rows since this was last called, to be recorded in this order: metrics, events, trials."""
        return self._journal.take(now)


def _never_reported(metric: str, names: set[str]) -> Failure:
    if not names:
        message = f"returned without a report; call trial.report(step=…, {metric}=…)"
    else:
        near = difflib.get_close_matches(metric, names, n=1)
        message = f"never reported {metric!r}, only {', '.join(sorted(names))}"
        message += f"; is {near[0]!r} meant?" if near else ""
    return Failure(type="MetricNeverReported", message=message, fingerprint=f"MetricNeverReported:{metric}")
