"""What Ray Tune still does with an attempt that it was told to give up is not taken for the trial's next attempt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import TrialScheduler

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.events import Measurement, Node
from orchestrator.core.rows import State
from orchestrator.driver.loop import CheckpointTrouble, NoObserver
from orchestrator.tune.hooks import SweepScheduler
from orchestrator.worker.actor import BATCH, ORDER
from orchestrator.worker.messages import WorkerUpdate
from tests.cli.recorded import T0, spec


class NodeLookup:
    """One machine, which is well."""

    def avoided(self) -> tuple[str, ...]:
        return ()

    def others(self, node: Node) -> tuple[str, ...]:
        return ()

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


def batch(step: int) -> dict[str, Any]:
    measured = Measurement(step=step, train_s=1.0, reported_at=T0, metrics={"loss": 1.0})
    whole = WorkerUpdate(measurements=[measured], train_s=1.0, node=Node(id="a", name="a"), gpu_ids=())
    return {BATCH: whole.pack()}


def test_a_ghost_is_stopped_and_says_nothing(tmp_path: Path) -> None:
    sweep = build_sweep(spec(), None)
    node_lookup: Any = NodeLookup()
    decider = SweepScheduler(sweep, lambda: T0, tmp_path, None, CheckpointTrouble(NoObserver()), node_lookup)
    start = sweep.ask(T0)
    assert start is not None
    ghost: Any = SimpleNamespace(trial_id="first", config={ORDER: start}, error="creation task", status="RUNNING")
    decider.on_trial_error(None, ghost)
    stopped: list[str] = []
    controller: Any = SimpleNamespace(stop_trial=lambda tried: stopped.append(tried.trial_id), get_trials=list)
    decider.choose_trial_to_run(controller)
    assert stopped == ["first"]
    again = sweep.ask(T0 + 100)
    assert again is not None
    assert again.trial == start.trial
    sweep.on(events.Started(trial=again.trial, at=T0 + 100))

    decider.begin(ghost)
    assert decider.on_trial_result(None, ghost, batch(1)) == TrialScheduler.STOP
    decider.on_trial_error(None, ghost)
    trial = sweep.trials[start.trial]
    assert (trial.state, trial.attempts, trial.last_step) == (State.RUNNING, 1, None)
