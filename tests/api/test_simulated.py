"""A spec played on curves that are known: what is recorded, when, and what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import orchestrator
from orchestrator.core.schedulers.asha import Asha
from orchestrator.errors import SpecError, UserError

STEPS = np.arange(1, 28)


def spec_of(trials: int = 9, **sections: Any) -> dict[str, Any]:
    return {
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "scheduler": {"method": "none"},
        "budget": {"trials": trials},
    } | sections


def falling(config: Mapping[str, Any]) -> dict[str, Any]:
    """A loss that falls from 2x to x, in 10 s a step."""
    return {"elapsed": 10.0 * STEPS, "loss": config["x"] * (1 + 1 / STEPS), "other": list(STEPS)}


def test_the_clock_begins_in_1970_and_only_training_takes_time() -> None:
    sweep = orchestrator.simulate_sweep(spec_of(4), falling, workers=2)
    trials = sweep.trials
    assert isinstance(sweep, orchestrator.Sweep)
    assert list(trials["started_at"].map(pd.Timestamp.timestamp)) == [0, 0, 270, 270]
    assert list(trials["ended_at"].map(pd.Timestamp.timestamp)) == [270, 270, 540, 540]
    assert set(trials["state"]) == {"completed"}
    assert list(trials["train_s"]) == [270] * 4
    of_first = sweep.metrics[sweep.metrics["trial"] == 0]
    assert list(of_first["step"]) == list(STEPS)
    assert list(of_first["train_s"]) == list(10.0 * STEPS)
    assert list(of_first["loss"]) == list(falling({"x": trials["config.x"][0]})["loss"])
    assert list(of_first["other"]) == list(STEPS)
    assert sweep.events["event"].value_counts()["completed"] == 4


def test_recorded_and_in_memory_it_is_the_same(tmp_path: Path) -> None:
    spec = spec_of(30, scheduler={"method": "asha"})
    memory = orchestrator.simulate_sweep(spec, falling, workers=4, seed=3)
    disk = orchestrator.simulate_sweep(spec, falling, workers=4, seed=3, results=tmp_path)
    assert disk.paths.root == tmp_path / "simulated"
    pd.testing.assert_frame_equal(memory.trials, disk.trials)
    by_trial = ["trial", "step"]
    pd.testing.assert_frame_equal(memory.metrics, disk.metrics)
    assert len(memory.metrics.drop_duplicates(by_trial)) == len(memory.metrics)
    order = ["at", "trial", "event"]
    pd.testing.assert_frame_equal(
        memory.events.sort_values(order, ignore_index=True), disk.events.sort_values(order, ignore_index=True)
    )
    assert memory.spec == disk.spec
    assert memory.spec["search"]["seed"] == 3
    assert memory.best == disk.best
    assert memory.best is not None
    assert memory.best.objective == memory.trials["objective"].min()
    assert "30 trials" in repr(memory)


def test_without_results_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = orchestrator.simulate_sweep(spec_of(), falling)
    assert len(sweep.metrics) == 9 * 27
    assert len(sweep.trials) == 9
    assert list(tmp_path.iterdir()) == []


def test_a_curve_is_asked_for_once_a_trial_with_fixed_values() -> None:
    asked: list[Mapping[str, Any]] = []

    def curve(config: dict[str, Any]) -> dict[str, Any]:
        asked.append(config)
        return falling(config)

    sweep = orchestrator.simulate_sweep(spec_of(9, fixed={"width": 3}, scheduler={"method": "asha"}), curve, workers=2)
    assert [config["x"] for config in asked] == list(sweep.trials["config.x"])
    assert all(config["width"] == 3 for config in asked)


def test_the_same_seed_gives_the_same_sweep() -> None:
    first, again, other = (orchestrator.simulate_sweep(spec_of(), falling, seed=seed).trials for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not set(first["config.x"]) & set(other["config.x"])


def test_the_first_curve_says_how_long_a_training_is() -> None:
    sweep = orchestrator.simulate_sweep(spec_of(60, scheduler={"method": "asha", "grace_period": 3}), falling)
    rungs = Asha(mode="min", grace_period=3, reduction_factor=3, max_step=27).rungs(0)
    assert set(sweep.events["rung"].dropna()) == set(rungs) == {3, 9}
    assert Counter(sweep.trials["last_step"]).keys() == {3, 9, 27}


def test_a_training_that_fails_says_nothing_of_the_length() -> None:
    def curve(config: dict[str, Any]) -> dict[str, Any]:
        if config["x"] > 0.5:
            raise MemoryError("too large")
        return falling(config)

    sweep = orchestrator.simulate_sweep(
        spec_of(60, scheduler={"method": "asha", "grace_period": 9}), curve, workers=3, seed=1
    )
    failed = sweep.trials["config.x"] > 0.5
    assert failed[0]
    assert set(sweep.trials["state"][failed]) == {"failed"}
    assert set(sweep.trials["error_type"][failed]) == {"MemoryError"}
    assert set(sweep.trials["last_step"][~failed]) == {9, 27}


def test_scheduler_max_ends_a_curve() -> None:
    sweep = orchestrator.simulate_sweep(spec_of(3, scheduler={"method": "none", "max": 5}), falling)
    assert set(sweep.trials["last_step"]) == {5}
    assert len(sweep.metrics) == 15


def test_a_budget_of_hours_counts_on_the_clock() -> None:
    sweep = orchestrator.simulate_sweep(spec_of(1000, budget={"trials": 1000, "hours": 1}), falling, workers=8)
    assert sweep.metrics["reported_at"].max().timestamp() == 3600
    assert len(sweep.metrics) == 8 * 360
    assert sweep.events["reason"].str.contains("budget of 1 hours", na=False).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_has_diverged_at_that_step(value: float) -> None:
    def curve(config: dict[str, Any]) -> dict[str, Any]:
        return {"elapsed": STEPS, "loss": np.where(STEPS >= 4, value, config["x"])}

    sweep = orchestrator.simulate_sweep(spec_of(2), curve)
    assert list(sweep.trials["state"]) == ["diverged"] * 2
    assert list(sweep.trials["last_step"]) == [4, 4]
    assert list(sweep.trials["train_s"]) == [4, 4]


def test_a_trial_that_is_retried_asks_for_no_other_curve() -> None:
    asked: list[float] = []

    def curve(config: dict[str, Any]) -> dict[str, Any]:
        asked.append(config["x"])
        raise RuntimeError(f"attempt {len(asked)}")

    sweep = orchestrator.simulate_sweep(spec_of(1, trial={"retries": 2}), curve)
    assert len(asked) == 1
    assert list(sweep.trials["state"]) == ["failed"]


def test_a_spec_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "trainable: nowhere.py:nothing\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: loss}\nbudget: {trials: 3}\n"
    )
    sweep = orchestrator.simulate_sweep(path, falling, overrides=["search.method=sobol", "budget.trials=4"])
    assert sweep.name == "mine"
    assert sweep.spec["search"]["method"] == "sobol"
    assert len(sweep.trials) == 4


def test_a_spec_with_mistakes() -> None:
    with pytest.raises(SpecError, match="uniforn"):
        orchestrator.simulate_sweep(spec_of(space={"x": {"uniforn": [0, 1]}}), falling)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"loss": [1.0]}, "it has no 'elapsed', the seconds of training up to each step; it has 'loss'"),
        ([1.0], "it is list, not a mapping with 'elapsed' and an array for each metric"),
        ({"elapsed": [1.0], "los": [1.0]}, "it has no 'loss', the objective; it has 'los'; did you mean 'los'?"),
        ({"elapsed": [1.0, 2.0], "loss": [1.0]}, "'loss' has 1 entries, but 'elapsed' has 2"),
        ({"elapsed": [1.0, 3.0, 2.0], "loss": [1.0] * 3}, "'elapsed' decreases from 3 at step 2 to 2"),
        ({"elapsed": [1.0, np.nan], "loss": [1.0] * 2}, "'elapsed' must be finite and not negative, but contains nan"),
        ({"elapsed": [-1.0, 2.0], "loss": [1.0] * 2}, "'elapsed' must be finite and not negative, but contains -1"),
        ({"elapsed": [], "loss": []}, "it has no steps"),
        ({"elapsed": [1.0], "loss": ["low"]}, "'loss' is not an array of numbers"),
        ({"elapsed": [1.0], "loss": 1.0}, "'loss' has 0 dimensions; it must have one, with an entry for each step"),
        ({"elapsed": [1.0], "loss": [1.0], "step": [1]}, "'step' names a column of the records"),
    ],
)
def test_what_is_no_curve(answer: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        orchestrator.simulate_sweep(spec_of(), lambda _: answer)
    assert said in str(raised.value)
    assert str(raised.value).startswith("the curve of {'x': 0.")


def test_a_first_rung_that_no_training_reaches() -> None:
    with pytest.raises(UserError, match=r"scheduler.grace_period: 27 leaves no step to stop at: a training has 27"):
        orchestrator.simulate_sweep(spec_of(scheduler={"method": "asha", "grace_period": 27}), falling)


def test_a_curve_that_is_no_function() -> None:
    with pytest.raises(UserError, match="curve must be a function of a configuration, not dict"):
        orchestrator.simulate_sweep(spec_of(), falling({"x": 1}))  # type: ignore[arg-type]


def test_where_every_training_fails_the_failures_are_the_answer() -> None:
    sweep = orchestrator.simulate_sweep(spec_of(), lambda config: config["missing"])
    assert set(sweep.trials["state"]) == {"failed"}
    assert set(sweep.trials["error_type"]) == {"KeyError"}
    assert sweep.events["reason"].str.contains("the first 5 trials all failed", na=False).any()


def test_no_workers() -> None:
    with pytest.raises(UserError, match="0 workers cannot run a trial"):
        orchestrator.simulate_sweep(spec_of(), falling, workers=0)


def test_a_paused_trial_continues_its_curve_where_it_was() -> None:
    asked: Counter[float] = Counter()

    def curve(config: dict[str, Any]) -> dict[str, Any]:
        asked[config["x"]] += 1
        return falling(config)

    spec = spec_of(60, scheduler={"method": "asha", "grace_period": 3})
    sweep = orchestrator.simulate_sweep(spec, curve, workers=4)
    assert set(asked.values()) == {1}
    assert sweep.trials["attempts"].max() > 1
    finished = sweep.metrics[sweep.metrics["step"] == 27]
    assert len(finished)
    assert set(finished["train_s"].round(6)) == {270}
    assert not sweep.metrics.duplicated(["trial", "step"]).any()
    assert (sweep.events["event"] == "paused").any()
    stopping = orchestrator.simulate_sweep(spec, falling, workers=4, saves=False)
    assert not (stopping.events["event"] == "paused").any()
