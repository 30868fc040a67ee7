"""What follows when an attempt at a trial fails: another attempt, a node that is set aside, or the trial's end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core import events
from orchestrator.core.gpu_packing import larger
from orchestrator.core.journal import Journal
from orchestrator.core.limits import Limits
from orchestrator.core.node_health import NodeHealth
from orchestrator.core.rows import GPU_OUT_OF_MEMORY, NODE, OUT_OF_MEMORY, State
from orchestrator.core.trial import Trial
from orchestrator.core.trial_queue import TrialQueue, wait_after

FALSE_STARTS = 3
"""A trial fails when its worker has died more often than this before an attempt began."""

PREEMPTION = "preemption"
"""The decision recorded with a retry that is not counted against the trial."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Another attempt at a trial, and why."""

    cause: str  # the decision recorded with the retry
    reason: str
    wait_s: float = 0.0
    gpus: float | None = None  # the larger share of a GPU that the trial gets


class Retries:
    """Decides about retries, and sets aside nodes on which trials fail without fault of their own.

    Attributes:
        reopened: Failed trials that are attempted again, because their node was to blame.
    """

    def __init__(
        self, *, limits: Limits, node_health: NodeHealth, queue: TrialQueue, journal: Journal, trials: Sequence[Trial]
    ) -> None:
        """
        Args:
            limits: How many retries a trial has.
            node_health: Which nodes are set aside.
            queue: Takes trials that are reopened.
            journal: Takes the events.
            trials: All trials of the sweep, by number; it may grow.
        """
        self.reopened: list[Trial] = []
        self._limits = limits
        self._node_health = node_health
        self._queue = queue
        self._journal = journal
        self._trials = trials

    def after_failure(self, trial: Trial, event: events.Failed) -> Retry | None:
        """The retry that follows a failed attempt, already counted by the trial; None: the trial has failed."""
        failure = event.failure
        reason = f"{failure.type}: {failure.message}"
        if event.preempted:
            trial.preemptions += 1
            return Retry(cause=PREEMPTION, reason=reason)
        if failure.type == GPU_OUT_OF_MEMORY and not trial.own_gpu_share and (gpus := larger(trial.gpus)) is not None:
            trial.failure, trial.own_gpu_share = failure, gpus
            return Retry(cause=OUT_OF_MEMORY, reason=f"{reason}; retrying with {gpus:g} of a GPU", gpus=gpus)
        if self._blamed_on_node(trial, event):
            trial.preemptions += 1
            return Retry(cause=PREEMPTION, reason=f"its node was set aside; {reason}")
        if trial.failures < self._limits.retries and not trial.repeats_failure(failure):
            trial.fail(failure)
            return Retry(cause="failure", reason=reason, wait_s=wait_after(trial.failures))
        return None

    def after_false_start(self, trial: Trial, event: events.NotStarted) -> bool:
        """Count an attempt that never began; returns whether the trial gets another."""
        trial.attempts -= 1
        if not event.preempted and not self._blamed_on_node(trial, event):
            trial.false_starts += 1
        return trial.false_starts <= FALSE_STARTS

    def _blamed_on_node(self, trial: Trial, event: events.Failed | events.NotStarted) -> bool:
        """Whether the failure is blamed on the node: the node was set aside before, or this failure does it."""
        node = event.node
        if node is None or node.id in self._node_health.set_aside:
            return node is not None
        ran_s = trial.ran_s(event.at)
        trials = self._node_health.record_failure(node, trial.number, event.failure, ran_s=ran_s, others=event.others)
        if not trials:
            return False
        detail = {"node_id": node.id, "node": node.name, "trials": trials}
        self._journal.note(event.at, NODE, self._node_health.set_aside[node.id], detail)
        for number in trials:
            if self._trials[number].state is State.FAILED:
                self._reopen(self._trials[number], event.at)
        return True

    def _reopen(self, trial: Trial, at: float) -> None:
        trial.blame_node()
        self._queue.enqueue(trial)
        self.reopened.append(trial)
        detail = None if trial.failure is None else dataclasses.asdict(trial.failure)
        reason = "its node was set aside"
        self._journal.trial_event(trial, at, "retry", decision=PREEMPTION, reason=reason, detail=detail)
