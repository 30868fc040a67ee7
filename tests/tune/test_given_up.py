"""Late messages about an attempt that was given up do not count as the trial's next attempt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import TrialScheduler

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.core.rows import State
from orchestrator.driver.observer import CheckpointTrouble, NoObserver
from orchestrator.driver.waiting import Waiting
from orchestrator.tune.hooks import SweepScheduler
from orchestrator.worker.actor import ORDER, UPDATE
from orchestrator.worker.messages import WorkerUpdate
from tests.cli.recorded import T0, spec
from trainables.report import Report


class NodeLookup:
    """One healthy machine."""

    def avoided(self) -> tuple[str, ...]:
        return ()

    def others(self, node: Node) -> tuple[str, ...]:
        return ()

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


def update(step: int) -> dict[str, Any]:
    report = Report(step=step, train_s=1.0, reported_at=T0, metrics={"loss": 1.0})
    whole = WorkerUpdate(reports=[report], train_s=1.0, node=Node(id="a", name="a"), gpu_ids=())
    return {UPDATE: whole.pack()}


def test_an_attempt_that_was_given_up_is_stopped_and_ignored(tmp_path: Path) -> None:
    sweep = build_sweep(spec(), None)
    driver: Any = SimpleNamespace(
        sweep=sweep, checkpoint_trouble=CheckpointTrouble(NoObserver()), waiting=Waiting(sweep, NoObserver())
    )
    settings: Any = SimpleNamespace(logs=str(tmp_path), timeout_s=None, isolation="reuse")
    nodes: Any = NodeLookup()
    scheduler = SweepScheduler(driver, settings, nodes)
    start = sweep.ask(T0)
    assert start is not None
    ghost: Any = SimpleNamespace(trial_id="first", config={ORDER: start}, error="creation task", status="RUNNING")
    scheduler.on_trial_error(None, ghost)
    stopped: list[str] = []
    controller: Any = SimpleNamespace(stop_trial=lambda tried: stopped.append(tried.trial_id), get_trials=list)
    scheduler.choose_trial_to_run(controller)
    assert stopped == ["first"]
    again = sweep.ask(T0 + 100)
    assert again is not None
    assert again.trial == start.trial
    sweep.on(events.Started(trial=again.trial, at=T0 + 100))

    scheduler.begin(ghost)
    assert scheduler.on_trial_result(None, ghost, update(1)) == TrialScheduler.STOP
    scheduler.on_trial_error(None, ghost)
    trial = sweep.trials[start.trial]
    assert (trial.state, trial.attempts, trial.last_step) == (State.RUNNING, 1, None)
