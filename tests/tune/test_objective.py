"""Objectives of Optuna on real workers: recorded with what they asked for, stopped, killed and resumed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.records.load import Sweep, load
from orchestrator.records.verify import verify
from tests.terminal import Terminal

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

# After "Pythonic Search Space" and "Efficient Optimization Algorithms" of Optuna's tutorial,
# https://optuna.readthedocs.io/en/stable/tutorial/10_key_features/
OBJECTIVE = """
    import os, time
    import optuna

    def objective(trial):
        kind = trial.suggest_categorical("classifier", ["SVC", "RandomForest"])
        if kind == "SVC":
            slope = trial.suggest_float("svc_c", 1e-10, 1e10, log=True) * 0 + 1
        else:
            slope = trial.suggest_int("rf_max_depth", 2, 32, log=True)
        n_layers = trial.suggest_int("n_layers", 1, 3)
        for i in range(n_layers):
            trial.suggest_int(f"n_units_l{i}", 4, 128, log=True)
        print("asked for", trial.params, flush=True)
        for step in range(9):
            time.sleep(float(os.environ.get("SECONDS_A_STEP", 0)))
            trial.report(slope + 1 / (step + 1), step)
            if trial.should_prune():
                print("pruned by hand")
                raise optuna.TrialPruned()
        trial.set_user_attr("layers", n_layers)
        return float(slope)
"""
SPEC = {
    "trainable": "train.py:objective",
    "space": {},
    "search": {"method": "tpe"},
    "scheduler": {"method": "asha", "max": 20},
    "budget": {"trials": 12},
}


def asked_for(config: dict[str, Any]) -> set[str]:
    """What the objective asks for, given what it got."""
    own = "svc_c" if config["classifier"] == "SVC" else "rf_max_depth"
    return {"classifier", own, "n_layers", *(f"n_units_l{i}" for i in range(int(config["n_layers"])))}


def configs(sweep: Sweep) -> list[dict[str, Any]]:
    rows = sweep.trials.filter(like="config.").rename(columns=lambda name: name.removeprefix("config."))
    return [{name: value for name, value in row.items() if pd.notna(value)} for row in rows.to_dict("records")]


def test_an_objective_runs_unchanged(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(OBJECTIVE, **SPEC)
    assert sweep_of.error is None  # type: ignore[attr-defined]
    states = sweep.trials.state.tolist()
    assert set(states) == {"completed", "stopped"}
    assert all(set(config) == asked_for(config) for config in configs(sweep))
    stopped = sweep.paths.root / "logs" / f"{states.index('stopped')}.log"
    assert "pruned by hand" in stopped.read_text()
    completed = sweep.metrics[sweep.metrics.trial == states.index("completed")]
    assert completed.step.tolist() == list(range(10))
    assert completed.layers.notna().tolist() == [False] * 9 + [True]
    assert list(sweep.spec["space"]) == [each[7:] for each in sweep.trials.columns if each.startswith("config.")]
    assert not verify(sweep.paths).problems


def test_a_range_that_depends_on_another_value_is_refused_by_name(sweep_of: Callable[..., Sweep]) -> None:
    train = """
        def objective(trial):
            a = trial.suggest_int("a", 1, 9)
            return float(trial.suggest_int("b", 0, a))
    """
    sweep = sweep_of(train, **SPEC, resources={"concurrency": 1})
    assert (sweep.trials.error_type == "RangeChanged").any() or (sweep.trials.error_type == "ValueError").any()
    assert sweep.trials.error_message.str.contains("b .*one range in all trials").any()


def test_a_killed_sweep_gives_its_trials_the_same_values_again(tmp_path: Path) -> None:
    spec = {"name": "s", "objective": {"metric": "loss"}, **SPEC, "budget": {"trials": 6}}
    del spec["space"]
    terminal = Terminal(tmp_path, spec=json.dumps(spec), train=textwrap.dedent(OBJECTIVE))
    try:
        terminal.seconds_a_step = 0.4
        launched = terminal.start("launch", "spec.yaml")
        terminal.wait_for(lambda: terminal.rows() > 4, launched)
        terminal.kill_driver(launched)
        terminal.seconds_a_step = 0
        code, said = terminal.run("resume", "s")
        assert code == 0, said
    finally:
        terminal.close()
    for path in (terminal.results / "logs").glob("*.log"):
        asked = [line for line in path.read_text().splitlines() if line.startswith("asked for")]
        assert len(set(asked)) == 1
    sweep = load(terminal.results)
    assert len(sweep.trials) == 6
    assert (sweep.trials.attempts > 1).any()
    assert all(set(config) == asked_for(config) for config in configs(sweep))
    assert not verify(sweep.paths).problems
