"""examples/02_churn.yaml, the main job, as `make demo` runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score

import orchestrator
from orchestrator.after import evaluate
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.core.rows import EVALUATION
from orchestrator.records.load import Sweep
from trainables.builtin.tabular import network, train
from trainables.builtin.tabular_data import load
from trainables.builtin.tabular_source import Choice
from trainables.checkpoints import files

EXAMPLE = Path(__file__).parents[2] / "examples" / "02_churn.yaml"


@pytest.mark.long
@pytest.mark.timeout(400)
def test_it_finds_a_good_network_and_records_why(tmp_path: Path) -> None:
    sweep = orchestrator.run(EXAMPLE, results=tmp_path, cpus=2, gpus=0)
    trials = sweep.trials
    assert len(trials) == 60
    assert set(trials["state"]) == {"completed", "stopped"}
    assert trials["objective"].max() >= 0.84
    stopped = trials[trials["state"] == "stopped"]
    assert len(stopped) > 30
    assert (stopped["last_step"] == stopped["rung"]).all()
    only_sgd = trials["config.momentum"].notna()
    assert (trials.loc[only_sgd, "config.optimizer"] == "sgd").all()
    assert (trials["config.layers"] * trials["config.width"] <= 512).all()
    assert trials["config.layers"].dtype == "int64"
    assert not trials.duplicated([c for c in trials.columns if c.startswith("config.")]).any()
    best = sweep.metrics[sweep.metrics["trial"] == trials["objective"].idxmax()]
    assert {"train_loss", "val_loss", "train_accuracy", "val_accuracy", "val_auroc"} <= set(best.columns)
    assert best["step"].is_monotonic_increasing
    the_test_part_confirms_it(sweep)


def the_test_part_confirms_it(sweep: Sweep) -> None:
    """On rows that no trial has seen the winner is as good, and scikit-learn finds the same scores."""
    (ranked,) = best_trials(sweep.paths, sweep.info, 1)
    evaluate.record(sweep.paths, sweep.info.name, evaluate.evaluate(sweep.paths, sweep.info, ranked))

    events = orchestrator.load(sweep.paths.root).events
    row = events[events["event"] == EVALUATION].iloc[0]
    scores = json.loads(row["detail"])["scores"]
    assert (row["trial"], row["step"]) == (ranked.trial, ranked.step)
    assert scores["test_auroc"] >= 0.82

    found = files.find(sweep.paths.checkpoints(ranked.trial), "best")
    assert found is not None
    state = files.load(found)
    assert state["step"] == ranked.step
    table = load(EXAMPLE.parent / sweep.spec["fixed"]["data"], Choice(target="churn"))
    inputs, targets = table.test_part()
    model = network(table, train.declaration.defaults() | ranked.config)
    model.load_state_dict(state["training"]["model"])
    model.eval()
    with torch.no_grad():
        probabilities = model(torch.from_numpy(inputs))[:, 0].double().sigmoid().numpy()
    assert len(targets) == pytest.approx(0.2 * 7043, abs=1)
    assert scores["test_auroc"] == pytest.approx(roc_auc_score(targets, probabilities), abs=1e-6)
    assert scores["test_loss"] == pytest.approx(log_loss(targets, probabilities), abs=1e-5)
