"""One trial: the state that the sweep keeps of it, and its row in the trials table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.node_health import Node
from orchestrator.core.rows import Config, Failure, MetricRow, Origin, State, TrialRow
from orchestrator.spec import Objective
from orchestrator.spec.trial_resources import AS_ALL, Asked
from orchestrator.suggestions import suggestion
from trainables.report import Report

FROM_OUTSIDE = frozenset({"WorkerDied", "Timeout"})
"""Failures that look alike although their causes may lie outside the trial: memory, a disk, a signal."""


@dataclass(kw_only=True, slots=True)
class Trial:
    """One trial, over all its attempts. Only its sweep changes it."""

    number: int
    config: Config  # the searched values
    complete: Config  # with the derived ones
    seed: int
    bracket: int
    objective: Objective
    origin: Origin = Origin.SEARCH
    retry_of: int | None = None
    state: State = State.PENDING
    attempts: int = 0
    failures: int = 0
    preemptions: int = 0
    false_starts: int = 0  # attempts whose worker died before they began
    last_step: int | None = None
    rung: int | None = None
    best: float | None = None
    best_step: int | None = None
    last: float | None = None
    started_at: float | None = None  # start of the first attempt
    ended_at: float | None = None
    startup_s: float = 0.0  # from hand-out to start, over all attempts
    in_slot_s: float = 0.0  # seconds in a slot, of attempts that have ended
    train_s: float = 0.0  # over all attempts
    reason: str | None = None
    stop_requested: str | None = None  # why the trial must end at its next report
    failure: Failure | None = None
    node: Node | None = None  # of the newest attempt that has reported
    asked: Asked = AS_ALL  # what a rank asks for because of the configuration
    gpus: float = 0.0  # of the newest attempt, over all ranks
    own_gpu_share: float = 0.0  # a larger share than the sweep's, after running out of GPU memory
    gpu_ids: tuple[str, ...] = ()
    metrics: set[str] = field(default_factory=set)  # names reported so far
    at_last_step: Mapping[str, float] = field(default_factory=dict)  # what was reported at the last step
    proposed: Config = field(default_factory=dict)  # before the trial asked for parameters as it ran
    unmeasured: int = 0  # reports without the objective
    _handed_out: float | None = None
    _attempt_began: float | None = None

    @property
    def result(self) -> float | None:
        """The objective by which the trial is judged: its best or its last, as the spec says."""
        return self.best if self.objective.at == "best" else self.last

    @property
    def judged(self) -> bool:
        """Whether the trial has a result, and has neither diverged nor failed."""
        return self.result is not None and self.state not in (State.DIVERGED, State.FAILED)

    @property
    def ordered(self) -> Config:
        """The configuration of the next attempt: what the last one has asked for, and what it was offered besides."""
        return {**self.proposed, **self.complete}

    def suggest(self, config: Config) -> None:
        """Take what the trial has asked for as its configuration."""
        self.proposed, self.config, self.complete = self.ordered, config, config

    def hand_out(self, at: float, gpus: float) -> None:
        """Begin to start another attempt, with this many GPUs or the trial's own larger share."""
        self.attempts += 1
        self.gpus = max(gpus, self.own_gpu_share)
        self._handed_out = at

    def begin_attempt(self, at: float) -> None:
        """The attempt has started."""
        self.state = State.RUNNING
        self.started_at = at if self.started_at is None else self.started_at
        self._attempt_began = at
        if self._handed_out is not None:
            self.startup_s += max(0.0, at - self._handed_out)
            self._handed_out = None

    def starting_s(self, at: float) -> float | None:
        """Seconds since an attempt was handed out that has not started yet; None if there is none."""
        return None if self._handed_out is None else at - self._handed_out

    def ran_s(self, at: float) -> float:
        """Seconds since the attempt began; 0 if no attempt runs."""
        return 0.0 if self._attempt_began is None else at - self._attempt_began

    def end_attempt(self, at: float) -> None:
        """The attempt has ended, for whatever reason."""
        if self._attempt_began is not None:
            self.in_slot_s += max(0.0, at - self._attempt_began)
            self._attempt_began = None

    def train(self, seconds: float) -> None:
        """Set the seconds of training so far, over all attempts."""
        self.train_s = max(self.train_s, seconds)

    def report(self, report: Report, received_at: float) -> MetricRow | None:
        """The row to record, or what it adds to the row of the last step; None if all of it is recorded already.

        Args:
            report: The report.
            received_at: When the driver received it: if the clock of the trial's machine is ahead, it was made then.
        """
        self.train(report.train_s)
        self.metrics.update(report.metrics)
        metrics, before = report.metrics, self.last_step
        if before is not None and report.step <= before:
            metrics = {name: value for name, value in metrics.items() if name not in self.at_last_step}
            if report.step < before or not metrics:
                return None
            self.at_last_step = {**self.at_last_step, **metrics}
        else:
            self.last_step, self.at_last_step = report.step, metrics
        return MetricRow(
            trial=self.number,
            attempt=self.attempts,
            step=report.step,
            train_s=report.train_s,
            reported_at=min(report.reported_at, received_at),
            metrics=metrics,
        )

    def restore_report(self, row: MetricRow) -> None:
        """Take a report that was recorded before a restart."""
        self.last_step, self.at_last_step = row.step, row.metrics
        self.metrics.update(row.metrics)

    def reset_to_pending(self) -> None:
        """Wait for another attempt: the end of the sweep interrupted the trial, or the trial is extended."""
        self.state, self.reason, self.ended_at = State.PENDING, None, None
        self._attempt_began = None

    def measure(self, step: int, value: float) -> None:
        """Take a finite value of the objective at a step."""
        self.last = value
        better = self.best is None or (value < self.best if self.objective.mode == "min" else value > self.best)
        if better:
            self.best, self.best_step = value, step

    def fail(self, failure: Failure) -> None:
        """Count a failed attempt."""
        self.failures += 1
        self.failure = failure

    def blame_node(self) -> None:
        """Reopen a failed trial whose node was to blame: wait for another attempt, and do not count the failure."""
        self.failures -= 1
        self.preemptions += 1
        self.false_starts = 0
        self.reset_to_pending()

    def repeats_failure(self, failure: Failure) -> bool:
        """Whether the previous attempt failed in the same way, so that a retry is pointless."""
        before = self.failure
        if before is None or failure.type in FROM_OUTSIDE:
            return False
        return (before.fingerprint, before.message) == (failure.fingerprint, failure.message)

    def never_reported_failure(self) -> Failure:
        """The failure of a trial that finished without reporting the objective."""
        metric = self.objective.metric
        if self.metrics:
            message = f"never reported {self.reported_instead()}"
        else:
            message = f"ended without a report; call trial.report(step=…, {metric}=…), or in train(config) tune.report"
        return Failure(type="MetricNeverReported", message=message, fingerprint=f"MetricNeverReported:{metric}")

    def reported_instead(self) -> str:
        """What the trial reported instead of the objective: ``'los', only loss; did you mean 'loss'?``."""
        metric, names = self.objective.metric, self.metrics
        return "; ".join(filter(None, (f"{metric!r}, only {', '.join(sorted(names))}", suggestion(metric, names))))

    def row(self, now: float) -> TrialRow:
        """The trial's row in the trials table, now."""
        running = max(0.0, now - self._attempt_began) if self._attempt_began is not None else 0.0
        return TrialRow(
            trial=self.number,
            state=self.state,
            config=self.complete,
            seed=self.seed,
            bracket=self.bracket,
            objective=self.result if self.judged else None,
            objective_best=self.best,
            objective_last=self.last,
            best_step=self.best_step,
            last_step=self.last_step,
            rung=self.rung,
            attempts=self.attempts,
            failures=self.failures,
            preemptions=self.preemptions,
            origin=self.origin,
            retry_of=self.retry_of,
            started_at=self.started_at,
            ended_at=self.ended_at,
            train_s=self.train_s,
            startup_s=self.startup_s,
            overhead_s=max(0.0, self.in_slot_s + running - self.train_s),
            reason=self.reason,
            failure=self.failure,
            node=None if self.node is None else self.node.name,
            node_id=None if self.node is None else self.node.id,
            gpus=self.gpus,
            gpu_ids=self.gpu_ids,
        )
