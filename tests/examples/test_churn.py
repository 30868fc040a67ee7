"""examples/02_churn.yaml, the main job, as `make demo` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator

EXAMPLE = Path(__file__).parents[2] / "examples" / "02_churn.yaml"


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
