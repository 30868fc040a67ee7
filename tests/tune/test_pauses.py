"""Trials that pause on real workers: their process serves others, and they continue from their checkpoints."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.records.load import Sweep
from tests.terminal import Terminal

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

TRIALS, STEPS = 12, 9

TRAIN = f'''
    import json, os, time
    from pathlib import Path

    here = Path(__file__).parent

    class Saving:
        """Notes each step that it trains, with the process that forked it."""

        def __init__(self, config, trial):
            self.x, self.number, self.done = config["x"], trial.number, 0

        def step(self):
            if self.done == {STEPS}:
                return None
            self.done += 1
            time.sleep(float(os.environ.get("SECONDS_A_STEP", 0.02)))
            with open(here / "trained", "a") as file:
                print(json.dumps([self.number, self.done, os.getppid()]), file=file)
            return {{"loss": self.x + 1 / self.done}}

        def state_dict(self):
            return {{"done": self.done}}

        def load_state_dict(self, state):
            self.done = state["done"]

    class Endless(Saving):
        """Trains until the sweep ends it."""

        def step(self):
            self.done += 1
            time.sleep(float(os.environ.get("SECONDS_A_STEP", 0.2)))
            return {{"loss": self.x + 1 / self.done}}

    def plain(config, trial):
        for step in range(1, {STEPS} + 1):
            trial.report(step=step, loss=config["x"] + 1 / step)
'''


def trained(directory: Path) -> list[tuple[int, int, int]]:
    """(trial, step, parent process), in the order of training."""
    return [tuple(json.loads(line)) for line in (directory / "trained").read_text().splitlines()]


def contiguous(metrics: pd.DataFrame) -> bool:
    return all(list(rows["step"]) == list(range(1, len(rows) + 1)) for _, rows in metrics.groupby("trial"))


def still_paused(events: pd.DataFrame) -> set[int]:
    """The trials whose last event is their pause."""
    last = events.dropna(subset=["trial"]).groupby("trial").last()
    return {int(trial) for trial in last[last["event"] == "paused"].index}


def test_a_paused_trial_leaves_its_process_to_others_and_trains_no_step_twice(
    sweep_of: Callable[..., Sweep], tmp_path: Path
) -> None:
    scheduler = {"max": STEPS, "grace_period": 1}
    best_first = {"method": "list", "configs": [{"x": number / TRIALS} for number in range(TRIALS)]}  # it must wait
    sweep = sweep_of(TRAIN, trainable="train.py:Saving", scheduler=scheduler, search=best_first, budget={})
    assert sweep_of.error is None  # type: ignore[attr-defined]
    trials, events, metrics = (sweep.trials, sweep.events, sweep.metrics)
    assert set(trials["state"]) == {"completed", "stopped"}
    best = trials.loc[trials["objective"].idxmin()]
    assert (best["state"], best["last_step"]) == ("completed", STEPS)
    paused, promoted = (set(events[events["event"] == kind]["trial"]) for kind in ("paused", "promoted"))
    assert promoted
    assert promoted < paused
    assert contiguous(metrics)

    steps = trained(tmp_path)
    assert set(Counter((trial, step) for trial, step, _ in steps).values()) == {1}
    served = {process: {trial for trial, _, where in steps if where == process} for _, _, process in steps}
    assert len(served) <= 2
    assert all(len(numbers) > 1 for numbers in served.values())
    left = {int(path.name) for path in next((tmp_path / "results").iterdir()).glob("checkpoints/*")}
    assert left == set(trials[trials["state"] == "completed"]["trial"])
    attempts = events[events["event"] == "running"].groupby("trial").size()
    assert (trials.set_index("trial")["attempts"] == attempts).all()
    assert (trials["overhead_s"] < 2).all()


def test_what_does_not_save_is_stopped_instead(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(TRAIN, trainable="train.py:plain", scheduler={"max": STEPS, "grace_period": 1})
    events = sweep.events
    assert not set(events["event"]) & {"paused", "promoted"}
    assert set(events[events["event"] == "rung"]["decision"]) == {"continue", "stop"}


def test_promote_trains_again_what_was_not_saved_and_records_it_once(sweep_of: Callable[..., Sweep]) -> None:
    scheduler = {"method": "asha", "variant": "promote", "max": STEPS, "grace_period": 1}
    sweep = sweep_of(TRAIN, trainable="train.py:plain", scheduler=scheduler)
    events, metrics = sweep.events, sweep.metrics
    assert "promoted" in set(events["event"])
    assert contiguous(metrics)


def test_killed_in_the_middle_paused_trials_are_promoted_by_the_resume(tmp_path: Path) -> None:
    spec: dict[str, Any] = {
        "name": "s",
        "trainable": "train.py:Saving",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "list", "configs": [{"x": number / 100} for number in range(60)]},  # the best first
        "scheduler": {"max": STEPS, "grace_period": 1},
        "resources": {"concurrency": 2},
    }
    terminal = Terminal(tmp_path, spec=json.dumps(spec), train=textwrap.dedent(TRAIN))
    try:
        terminal.seconds_a_step = 0.3
        launched = terminal.start("launch", "spec.yaml")
        terminal.wait_for(lambda: terminal.rows() > 0 and len(still_paused(terminal.events())) >= 3, launched)
        terminal.seconds_a_step = 0.02
        assert launched.poll() is None, launched.communicate()[0]
        terminal.kill_driver(launched)
        before = terminal.events()
        assert set(terminal.metrics().groupby("trial").size()) <= set(range(1, STEPS + 1))
        code, out = terminal.run("resume")
        assert code == 0, out
        trials, events = terminal.trials(), terminal.events()
    finally:
        terminal.close()
    assert set(trials["state"]) == {"completed", "stopped"}
    assert contiguous(terminal.metrics())
    decided = events[events["event"] == "rung"]
    assert not decided.duplicated(["trial", "rung"]).any()
    assert trials.loc[trials["objective"].idxmin()]["last_step"] == STEPS
    waiting = still_paused(before)
    resumed = events.iloc[len(before) :]
    assert waiting & set(resumed[resumed["event"] == "promoted"]["trial"])
    steps = Counter((trial, step) for trial, step, _ in trained(tmp_path))
    again = {trial for (trial, _), count in steps.items() if count > 1}
    assert len(again) <= 2, "only what ran at the kill may train a step again"
    assert not again & waiting, "what was paused continues from its checkpoint"


IN_SECONDS = {"unit": "seconds", "grace_period": 1, "reduction_factor": 2, "max": "3s"}  # rungs at 1 and 2 s


def entered_when_due(events: pd.DataFrame, metrics: pd.DataFrame) -> None:
    """Each rung at the first report after its seconds of training; if the trial has paused there before, at a later."""
    rungs = events[events["event"] == "rung"]
    assert not rungs.duplicated(["trial", "rung"]).any()
    for trial, mine in rungs.groupby("trial"):
        times = list(metrics[metrics["trial"] == trial]["train_s"])
        assert times == sorted(times)
        paused_s = 0.0
        for rung, decision, detail in zip(mine["rung"], mine["decision"], mine["detail"], strict=True):
            trained_s = json.loads(detail)["train_s"]
            assert trained_s == pytest.approx(min(at for at in times if at >= rung and at > paused_s))
            paused_s = trained_s if decision == "pause" else paused_s


def completed_by_time(trials: pd.DataFrame) -> None:
    completed = trials[trials["state"] == "completed"]
    assert set(completed["reason"]) == {"trained for 3.0 s (scheduler.max)"}
    assert (completed["train_s"] >= 3).all()


def test_rungs_at_seconds_of_training(sweep_of: Callable[..., Sweep]) -> None:
    best_first = {"method": "list", "configs": [{"x": number / 6} for number in range(6)]}
    sweep = sweep_of(TRAIN, trainable="train.py:Endless", scheduler=IN_SECONDS, search=best_first, budget={})
    assert sweep_of.error is None  # type: ignore[attr-defined]
    trials, events, metrics = (sweep.trials, sweep.events, sweep.metrics)
    assert set(trials["state"]) == {"completed", "stopped"}
    assert contiguous(metrics)
    assert {"paused", "promoted"} <= set(events["event"])
    entered_when_due(events, metrics)
    completed_by_time(trials)


def test_killed_with_rungs_at_seconds_paused_trials_continue_with_their_time(tmp_path: Path) -> None:
    spec: dict[str, Any] = {
        "name": "s",
        "trainable": "train.py:Endless",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "list", "configs": [{"x": number / 8} for number in range(8)]},  # the best first
        "scheduler": IN_SECONDS,
        "resources": {"concurrency": 2},
    }
    terminal = Terminal(tmp_path, spec=json.dumps(spec), train=textwrap.dedent(TRAIN))
    try:
        terminal.seconds_a_step = 0.2
        launched = terminal.start("launch", "spec.yaml")
        terminal.wait_for(lambda: terminal.rows() > 0 and len(still_paused(terminal.events())) >= 2, launched)
        assert launched.poll() is None, launched.communicate()[0]
        terminal.kill_driver(launched)
        before, known = terminal.events(), terminal.metrics()
        code, out = terminal.run("resume")
        assert code == 0, out
        trials, events, metrics = terminal.trials(), terminal.events(), terminal.metrics()
        code, shown = terminal.run("show", "s")
    finally:
        terminal.close()
    assert set(trials["state"]) == {"completed", "stopped"}
    assert contiguous(metrics)
    entered_when_due(events, metrics)
    completed_by_time(trials)
    assert code == 0
    assert "rung (s)" in shown
    resumed = events.iloc[len(before) :]
    promoted = still_paused(before) & set(resumed[resumed["event"] == "promoted"]["trial"])
    assert promoted
    for trial in promoted:
        rows = metrics[metrics["trial"] == trial]
        count = len(known[known["trial"] == trial])
        trained_s = rows["train_s"].iloc[count] - rows["train_s"].iloc[count - 1]
        passed_s = (rows["reported_at"].iloc[count] - rows["reported_at"].iloc[count - 1]).total_seconds()
        assert 0 < trained_s < passed_s, "it went on counting, and its pause did not count"


def test_no_attempt_at_a_trial_begins_before_the_last_one_has_ended(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        """
        import time

        def train(config, trial):
            trains = trial.directory / "trains"
            trains.touch(exist_ok=False)  # fails if an attempt is there
            done = (trial.restore() or {"done": 0})["done"]
            try:
                for step in range(done + 1, 10):
                    trial.save(step=step, done=step)
                    trial.report(step=step, loss=config["x"] + 1 / step)
            finally:
                time.sleep(0.1 + trial.number % 3 * 0.6)
                trains.unlink()
        """,
        scheduler={"method": "asha", "grace_period": 1, "reduction_factor": 2, "max": 9},
        budget={"trials": 12},
        resources={"concurrency": 2},
    )
    assert set(sweep.trials["state"]) <= {"completed", "stopped"}, sweep.trials["reason"].tolist()
    assert sweep.trials["attempts"].sum() > len(sweep.trials), "some were paused and went on"


def test_a_stopped_trial_ends_although_no_other_needs_its_worker(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        """
        import time
        from pathlib import Path

        over = Path(__file__).parent / "over"

        def train(config, trial):
            try:
                for step in range(1, 4):
                    trial.report(step=step, loss=trial.number * step)
                    if trial.number == 0 and step == 2:
                        until = time.monotonic() + 60
                        while not over.exists():  # trial 1 has been stopped
                            assert time.monotonic() < until
                            time.sleep(0.05)
            finally:
                if trial.number:
                    over.touch()
        """,
        scheduler={"method": "asha", "variant": "stop", "grace_period": 1, "reduction_factor": 2, "max": 3},
        budget={"trials": 2},
        resources={"concurrency": 2},
    )
    assert "failed" not in set(sweep.trials["state"]), sweep.trials["reason"].tolist()
