"""The life of one trial: what the state machine remembers of it, and the row it becomes in the trials table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.core.node_health import Node
from orchestrator.core.rows import Config, Failure, MetricRow, Origin, State, TrialRow
from orchestrator.spec import Objective
from orchestrator.suggestions import suggestion
from trainables.report import Report

FROM_OUTSIDE = frozenset({"WorkerDied", "Timeout"})
"""Failures that look alike, though their causes may lie outside of the trial: memory, a disk, whoever sent a signal."""


@dataclass(kw_only=True, slots=True)
class Trial:
    """One trial, over all its attempts. Changed only by the sweep it belongs to."""

    number: int
    config: Config
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
    started_at: float | None = None  # of the first attempt
    ended_at: float | None = None
    startup_s: float = 0.0  # from being handed out to the start, over all attempts
    in_slot_s: float = 0.0  # of attempts that are over
    train_s: float = 0.0  # over all attempts
    reason: str | None = None
    stop_requested: str | None = None  # why it is to end at its next report
    failure: Failure | None = None
    node: Node | None = None  # of the newest attempt that has spoken
    gpus: float = 0.0  # of the newest attempt
    own_gpu_share: float = 0.0  # its own share, since it ran out of GPU memory with a smaller one
    gpu_ids: tuple[str, ...] = ()
    metrics: set[str] = field(default_factory=set)  # names reported so far
    unmeasured: int = 0  # reports without the objective
    _handed_out: float | None = None
    _attempt_began: float | None = None

    @property
    def result(self) -> float | None:
        """The objective by which the trial is judged: its best or its last, as the spec says."""
        return self.best if self.objective.at == "best" else self.last

    def hand_out(self, at: float, gpus: float) -> None:
        """Another attempt is to start, with so many GPUs, unless it needs more."""
        self.attempts += 1
        self.gpus = max(gpus, self.own_gpu_share)
        self._handed_out = at

    def begin_attempt(self, at: float) -> None:
        """An attempt runs."""
        self.state = State.RUNNING
        self.started_at = at if self.started_at is None else self.started_at
        self._attempt_began = at
        if self._handed_out is not None:
            self.startup_s += max(0.0, at - self._handed_out)
            self._handed_out = None

    def ran_s(self, at: float) -> float:
        """Seconds since the attempt began; 0 if it has not."""
        return 0.0 if self._attempt_began is None else at - self._attempt_began

    def end_attempt(self, at: float) -> None:
        """The attempt is over, whatever comes next."""
        if self._attempt_began is not None:
            self.in_slot_s += max(0.0, at - self._attempt_began)
            self._attempt_began = None

    def train(self, seconds: float) -> None:
        """The trial has trained for so many seconds by now, over all its attempts."""
        self.train_s = max(self.train_s, seconds)

    def report(self, report: Report) -> MetricRow | None:
        """The row to be recorded; None if an earlier attempt recorded that step: the first row stands."""
        self.train(report.train_s)
        self.metrics.update(report.metrics)
        if self.last_step is not None and report.step <= self.last_step:
            return None
        self.last_step = report.step
        return MetricRow(
            trial=self.number,
            attempt=self.attempts,
            step=report.step,
            train_s=report.train_s,
            reported_at=report.reported_at,
            metrics=report.metrics,
        )

    def restore_report(self, row: MetricRow) -> None:
        """It reported this before a restart."""
        self.last_step = row.step
        self.train_s = max(self.train_s, row.train_s)
        self.metrics.update(row.metrics)

    def reset_to_pending(self) -> None:
        """It waits for another attempt: the end of the sweep cut it off, or it is to go on further."""
        self.state, self.reason, self.ended_at = State.PENDING, None, None
        self._attempt_began = None

    def measure(self, step: int, value: float) -> None:
        """The objective had this finite value at this step."""
        self.last = value
        better = self.best is None or (value < self.best if self.objective.mode == "min" else value > self.best)
        if better:
            self.best, self.best_step = value, step

    def fail(self, failure: Failure) -> None:
        """An attempt failed."""
        self.failures += 1
        self.failure = failure

    def blame_node(self) -> None:
        """It failed for good, and it was the node: it waits for another attempt, and is not charged."""
        self.failures -= 1
        self.preemptions += 1
        self.false_starts = 0
        self.reset_to_pending()

    def repeats_failure(self, failure: Failure) -> bool:
        """Whether the attempt before failed in the same way, so that one more would be in vain."""
        before = self.failure
        if before is None or failure.type in FROM_OUTSIDE:
            return False
        return (before.fingerprint, before.message) == (failure.fingerprint, failure.message)

    def never_reported_failure(self) -> Failure:
        """What is wrong with it if it came to its end without the objective."""
        metric = self.objective.metric
        if self.metrics:
            message = f"never reported {self.reported_instead()}"
        else:
            message = f"returned without a report; call trial.report(step=…, {metric}=…)"
        return Failure(type="MetricNeverReported", message=message, fingerprint=f"MetricNeverReported:{metric}")

    def reported_instead(self) -> str:
        """What the trial reported instead of the objective: ``'los', only loss; did you mean 'loss'?``."""
        metric, names = self.objective.metric, self.metrics
        return "; ".join(filter(None, (f"{metric!r}, only {', '.join(sorted(names))}", suggestion(metric, names))))

    def row(self, now: float) -> TrialRow:
        """The trial as the trials table shows it at a time."""
        running = max(0.0, now - self._attempt_began) if self._attempt_began is not None else 0.0
        judged = self.state not in (State.DIVERGED, State.FAILED)
        return TrialRow(
            trial=self.number,
            state=self.state,
            config=self.config,
            seed=self.seed,
            bracket=self.bracket,
            objective=self.result if judged else None,
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


def better(a: Trial, b: Trial) -> bool:
    """Whether a trial's result beats another's; both must have one."""
    left = a.result if a.result is not None else math.nan
    right = b.result if b.result is not None else math.nan
    return left < right if a.objective.mode == "min" else left > right


def best_of(trials: Iterable[Trial]) -> Trial | None:
    """That with the best result, of those that have one and did not diverge or fail; the first of equals."""
    best = None
    for trial in trials:
        if trial.state in (State.DIVERGED, State.FAILED) or trial.result is None:
            continue
        if best is None or better(trial, best):
            best = trial
    return best
