"""Ray Tune's hooks: Searcher, TrialScheduler, Callback and Stopper. They only translate between Ray Tune and the sweep.

An attempt is one Ray Tune trial. Another attempt is another Ray Tune trial, asked for through the Searcher like the
first, so that retries, back-off and resume are decided by the sweep alone.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

import ray
from ray.tune import Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from cluster.ray_private import tune_controller as controller
from cluster.ray_private.placement_request import discard_process_after
from cluster.ray_private.tune_controller import SilentCallback
from cluster.ray_private.tune_trial import end_now, error_of
from orchestrator import steady_clock
from orchestrator.core import events
from orchestrator.core.sweep import Sweep
from orchestrator.space.distributions import distribution_of
from orchestrator.tune.node_lookup import NodeLookup
from orchestrator.tune.run import Driver
from orchestrator.tune.worker_deaths import WorkerDeaths
from orchestrator.worker.actor import FORKS, ORDER, UPDATE
from orchestrator.worker.failures import begun, memory_left, worker_died
from orchestrator.worker.messages import WorkerSettings, WorkerUpdate


class _NotPickled:
    """Ray Tune pickles its hooks to restore a run later. Ours are never restored, and pickle as empty shells."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class SweepSearcher(_NotPickled, Searcher):
    """Asks the sweep for the next attempt while slots are free.

    Handing out no more attempts than the slots hold halves Ray Tune's cost of a trial, and lets an adaptive search
    choose late.
    """

    def __init__(self, driver: Driver, scheduler: SweepScheduler) -> None:
        super().__init__()
        self._driver = driver
        self._scheduler = scheduler
        self._held: events.Start | None = None  # until the attempt before it at the same trial has ended

    def suggest(self, trial_id: str) -> Any:
        now = self._driver.tick()  # Ray Tune may call no other hook for a while
        sweep = self._driver.sweep
        start, self._held = self._held, None
        if start is None or sweep.halted is not None:
            start = sweep.ask(now) if sweep.live < self._driver.slots() else None
        if start is not None and self._scheduler.is_ending(start.trial):
            self._held = start
            return None
        if start is not None:
            return {ORDER: start, FORKS: self._scheduler.forks}
        return Searcher.FINISHED if sweep.finished else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """Nothing to do: SweepScheduler has reported the end to the sweep."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: a resume reads the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: a resume reads the records."""


class SweepScheduler(_NotPickled, TrialScheduler):
    """Passes reports and failures to the sweep, and the sweep's decisions to Ray Tune.

    Attributes:
        forks: Whether new workers are to fork the processes of their trials: until one of them could not.
    """

    def __init__(self, driver: Driver, settings: WorkerSettings, nodes: NodeLookup) -> None:
        super().__init__()
        self._sweep = driver.sweep
        self._checkpoint_trouble = driver.checkpoint_trouble
        self._waiting = driver.waiting
        self._logs = Path(settings.logs)
        self._timeout_s = settings.timeout_s
        self._nodes = nodes
        self._deaths = WorkerDeaths(driver.sweep, nodes, time.time)
        self._noted: set[str] = set()
        self.forks = settings.isolation == "fork"
        # Ray Tune's trials, by id:
        self._running: set[str] = set()  # begun, and the sweep does not know their end yet
        self._failure_reported: set[str] = set()  # the sweep knows their failure; their worker is not discarded yet
        self._given_up: set[str] = set()  # ended for the sweep: later messages of Ray Tune about them are ignored
        self._to_stop: list[TuneTrial] = []  # Ray Tune would retry these, and must not
        self._ended: deque[TuneTrial] = deque()  # ended, and still in Ray Tune's list of trials
        self._ending: dict[int, Any] = {}  # the answers of workers that end an attempt, by the sweep's trial

    def begin(self, tune_trial: TuneTrial) -> None:
        """Report to the sweep that the attempt has started."""
        if tune_trial.trial_id in self._given_up:
            return
        self._running.add(tune_trial.trial_id)
        self._sweep.on(events.Started(trial=_number(tune_trial), at=steady_clock.now()))

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> Any:
        if trial.trial_id in self._given_up:
            return TrialScheduler.STOP
        update = WorkerUpdate.unpack(result[UPDATE])
        self._note(update.note)
        self.forks = self.forks and not update.once
        decision = self._on_update(update, trial)
        if decision == TrialScheduler.STOP and (
            update.once or self._nodes.avoided() & {update.node.id, *update.other_nodes}
        ):
            discard_process_after(trial)
        if decision == TrialScheduler.STOP and update.ended is None:
            self._end(trial)
        return decision

    def _end(self, trial: TuneTrial) -> None:
        """Have an attempt end that was stopped or paused, so that it neither trains on nor meets the next one."""
        self._ending = {number: answer for number, answer in self._ending.items() if not _has_come(answer)}
        answer = end_now(trial)
        if answer is not None:
            self._ending[_number(trial)] = answer

    def is_ending(self, number: int) -> bool:
        """Whether the last attempt at a trial has been told to end, and has not ended yet."""
        return number in self._ending and not _has_come(self._ending[number])

    def _on_update(self, update: WorkerUpdate, trial: TuneTrial) -> Any:
        number, now, ended = _number(trial), steady_clock.now(), update.ended
        returned = ended is not None and ended.failure is None
        self._checkpoint_trouble.update(number, update.trouble, returned=returned)
        self._waiting.heard(number, now, silent_s=update.silent_s, place=update.place)
        if update.suggested:
            found = {name: (value, distribution_of(written)) for name, (value, written) in update.suggested.items()}
            self._sweep.on(events.Suggested(trial=number, at=now, parameters=found))
        continues = self._sweep.on(
            events.Reported(
                trial=number,
                at=now,
                reports=update.reports,
                node=update.node,
                gpu_ids=update.gpu_ids,
                gpu_gb=update.gpu_gb,
                saved=update.saved,
            )
        )
        if not continues:
            return TrialScheduler.STOP
        if ended is None:
            return TrialScheduler.CONTINUE
        if ended.failure is None:
            self._sweep.on(events.Finished(trial=number, at=now, train_s=update.train_s))
            return TrialScheduler.STOP
        node = ended.node or update.node
        self._sweep.on(
            events.Failed(
                trial=number,
                at=now,
                failure=ended.failure,
                train_s=update.train_s,
                numerical=ended.numerical,
                preempted=ended.node_lost,
                node=node,
                others=self._nodes.others(node),
            )
        )
        self._running.discard(trial.trial_id)
        if not update.spent:
            return TrialScheduler.STOP
        # If a failed trial continues, its worker raises WorkerSpent, and Ray Tune discards it.
        self._failure_reported.add(trial.trial_id)
        return TrialScheduler.CONTINUE

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Undo Ray Tune's own retry: the trial's process is gone, and whether to retry is the sweep's decision."""
        if trial not in self._to_stop:  # Ray Tune reports a death in a reset twice
            self._to_stop.append(trial)
        if trial.trial_id in self._failure_reported | self._given_up:
            self._failure_reported.discard(trial.trial_id)
            self._given_up.add(trial.trial_id)
            return
        number, log = _number(trial), self._logs / f"{_number(trial)}.log"
        error = error_of(trial)
        failure = worker_died(str(error), log, self._timeout_s)
        if trial.trial_id not in self._running and begun(log, trial.config[ORDER].attempt):
            self.begin(trial)  # the attempt died before Ray Tune knew that it had begun
        began = trial.trial_id in self._running
        self._running.discard(trial.trial_id)
        self._given_up.add(trial.trial_id)
        self._deaths.add(number, error, failure, began=began)
        if not began:
            self._note(memory_left(str(error)))

    def _note(self, text: str) -> None:
        """Record something about the sweep as a whole, once."""
        if text and text not in self._noted:
            self._noted.add(text)
            self._sweep.on(events.Noted(at=steady_clock.now(), text=text))

    def choose_trial_to_run(self, tune_controller: Any) -> TuneTrial | None:
        """Stop the trials that Ray Tune must not retry; returns None, so that Ray Tune starts what is pending."""
        self._deaths.settle()
        while self._to_stop:
            trial = self._to_stop.pop()
            controller.stop(tune_controller, trial)
            if trial.status == TuneTrial.ERROR:  # the trial died in a reset, and Ray Tune does not report its end
                self._ended.appendleft(trial)
        while len(self._ended) > 1:  # without any trial, Ray Tune would look for trials in its files
            controller.forget(tune_controller, self._ended.popleft())
        return None

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        pass

    def on_trial_complete(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> None:
        self._running.discard(trial.trial_id)
        self._ended.append(trial)

    def on_trial_remove(self, tune_controller: Any, trial: TuneTrial) -> None:
        self._ended.append(trial)

    def debug_string(self) -> str:
        return "sweep"

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: a resume reads the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: a resume reads the records."""


class SweepCallback(_NotPickled, SilentCallback):
    """Reports starts to the sweep, and ticks."""

    def __init__(self, driver: Driver, scheduler: SweepScheduler) -> None:
        super().__init__()
        self._driver = driver
        self._scheduler = scheduler

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._scheduler.begin(trial)

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        result.pop(UPDATE)  # Ray Tune keeps the last result of every trial until the run ends

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        self._driver.tick()


class SweepStopper(_NotPickled, Stopper):
    """Ends Ray Tune's run as soon as the sweep has halted."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._sweep.halted is not None


def _has_come(answer: ray.ObjectRef) -> bool:
    """Whether a worker has answered, or died."""
    ready, _ = ray.wait([answer], timeout=0)
    return bool(ready)


def _number(tune_trial: TuneTrial) -> int:
    return int(tune_trial.config[ORDER].trial)
