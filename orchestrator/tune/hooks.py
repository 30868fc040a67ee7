"""Ray Tune's hooks: Searcher, TrialScheduler, Callback and Stopper. They translate to and from the machine, no more.

An attempt is one Ray Tune trial. A further attempt is a further one, asked for through the Searcher like the first, so
that retries, back-off and resume are the machine's business alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune import Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from cluster.ray_private import tune_controller as controller
from cluster.ray_private.placement_request import discard_process_after
from cluster.ray_private.tune_controller import SilentCallback
from cluster.ray_private.tune_trial import error_of
from orchestrator.core import events
from orchestrator.core.sweep import Sweep
from orchestrator.driver.loop import CheckpointTrouble
from orchestrator.tune.node_lookup import NodeLookup
from orchestrator.tune.worker_deaths import WorkerDeaths
from orchestrator.worker.actor import BATCH, ORDER
from orchestrator.worker.failures import begun, memory_left, worker_died
from orchestrator.worker.messages import WorkerUpdate

Clock = Callable[[], float]


class _NotPickled:
    """Ray Tune pickles its hooks, to restore a run some day. Ours are never restored, and pickle as empty shells."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class SweepSearcher(_NotPickled, Searcher):
    """Asks the machine for the next attempt, while there are free slots.

    Handing out no more than the slots hold halves Ray Tune's cost of a trial, and lets an adaptive search choose late.
    """

    def __init__(self, sweep: Sweep, slots: Callable[[], int], tick: Callable[[], float]) -> None:
        super().__init__()
        self._sweep = sweep
        self._slots = slots
        self._tick = tick

    def suggest(self, trial_id: str) -> Any:
        now = self._tick()  # Ray Tune may call nothing else for a while
        start = self._sweep.ask(now) if self._sweep.live < self._slots() else None
        if start is not None:
            return {ORDER: start}
        return Searcher.FINISHED if self._sweep.finished else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """The scheduler has told the machine already."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a resume reads the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a resume reads the records."""


class SweepScheduler(_NotPickled, TrialScheduler):
    """Hands reports and failures to the machine, and its decisions to Ray Tune."""

    def __init__(
        self,
        sweep: Sweep,
        clock: Clock,
        logs: Path,
        timeout_s: float | None,
        trouble: CheckpointTrouble,
        node_lookup: NodeLookup,
    ) -> None:
        super().__init__()
        self._sweep = sweep
        self._clock = clock
        self._logs = logs
        self._timeout_s = timeout_s
        self._trouble = trouble
        self._ground = node_lookup
        self._deaths = WorkerDeaths(sweep, node_lookup, clock)
        self._noted = False
        self._running: set[str] = set()  # Ray Tune's ids of attempts that began and whose end was not told
        self._told: set[str] = set()  # of attempts that failed, and whose worker is still to be thrown away
        self._over: list[TuneTrial] = []  # attempts that Ray Tune wants to repeat, and must not
        self._given_up: set[str] = set()  # Ray Tune's ids of all of them: what it still does with one says nothing
        self._ended: deque[TuneTrial] = deque()  # attempts that Ray Tune still has in its list of trials

    def begin(self, tune_trial: TuneTrial) -> None:
        """The worker has taken the order."""
        if tune_trial.trial_id in self._given_up:
            return
        self._running.add(tune_trial.trial_id)
        self._sweep.on(events.Started(trial=_number(tune_trial), at=self._clock()))

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> Any:
        if trial.trial_id in self._given_up:
            return TrialScheduler.STOP
        batch = WorkerUpdate.unpack(result[BATCH])
        decision = self._on_batch(batch, trial)
        if decision == TrialScheduler.STOP and batch.node.id in self._ground.avoided():
            discard_process_after(trial)
        return decision

    def _on_batch(self, batch: WorkerUpdate, trial: TuneTrial) -> Any:
        number, now = _number(trial), self._clock()
        self._trouble.told(number, batch.trouble, returned=batch.ended is not None and batch.ended.failure is None)
        goes_on = self._sweep.on(
            events.Reported(
                trial=number,
                at=now,
                measurements=batch.measurements,
                node=batch.node,
                gpu_ids=batch.gpu_ids,
                gpu_gb=batch.gpu_gb,
            )
        )
        if not goes_on:
            return TrialScheduler.STOP
        if batch.ended is None:
            return TrialScheduler.CONTINUE
        if batch.ended.failure is None:
            self._sweep.on(events.Finished(trial=number, at=now, train_s=batch.train_s))
            return TrialScheduler.STOP
        self._sweep.on(
            events.Failed(
                trial=number,
                at=now,
                failure=batch.ended.failure,
                train_s=batch.train_s,
                numerical=batch.ended.numerical,
                node=batch.node,
                others=self._ground.others(batch.node),
            )
        )
        self._running.discard(trial.trial_id)
        if batch.ended.numerical:
            return TrialScheduler.STOP
        # Going on with a trial that failed makes its worker raise WorkerSpent, and Ray Tune throw the process away.
        self._told.add(trial.trial_id)
        return TrialScheduler.CONTINUE

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Its process is gone. Whether to try again is the machine's decision, so Ray Tune's own retry is undone."""
        if trial not in self._over:  # of a death in a reset it tells twice
            self._over.append(trial)
        if trial.trial_id in self._told | self._given_up:
            self._told.discard(trial.trial_id)
            self._given_up.add(trial.trial_id)
            return
        number, log = _number(trial), self._logs / f"{_number(trial)}.log"
        error = error_of(trial)
        failure = worker_died(str(error), log, self._timeout_s)
        if trial.trial_id not in self._running and begun(log, trial.config[ORDER].attempt):
            self.begin(trial)  # it died before Ray Tune heard that it had
        began = trial.trial_id in self._running
        self._running.discard(trial.trial_id)
        self._given_up.add(trial.trial_id)
        self._deaths.add(number, error, failure, began=began)
        if not began:
            self._note(memory_left(str(error)))

    def _note(self, text: str) -> None:
        """Say the first time that a process is not used again for what its trial left in GPU memory."""
        if text and not self._noted:
            self._noted = True
            self._sweep.on(events.Noted(at=self._clock(), text=text))

    def choose_trial_to_run(self, tune_controller: Any) -> TuneTrial | None:
        """None lets Ray Tune start what is pending; before that, what must not be repeated is taken from it."""
        self._deaths.settle()
        while self._over:
            trial = self._over.pop()
            controller.stop(tune_controller, trial)
            if trial.status == TuneTrial.ERROR:  # after a death in a reset; it is not told as ended
                self._ended.appendleft(trial)
        while len(self._ended) > 1:  # with no trial at all, Ray Tune would look for some in its files
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
        """Nothing: a resume reads the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a resume reads the records."""


class SweepCallback(_NotPickled, SilentCallback):
    """Tells the machine of starts, and lets time pass."""

    def __init__(self, decider: SweepScheduler, tick: Callable[[], object]) -> None:
        super().__init__()
        self._decider = decider
        self._tick = tick

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._decider.begin(trial)

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        result.pop(BATCH)  # Ray Tune keeps every trial's last result to the end

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        self._tick()


class SweepStopper(_NotPickled, Stopper):
    """Ends Ray Tune's run as soon as the machine has halted."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._sweep.halted is not None


def _number(tune_trial: TuneTrial) -> int:
    return int(tune_trial.config[ORDER].trial)
