"""examples/10_digits.yaml and 11_pride.yaml: images and text, tuned and tested from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.after import evaluate
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.core.rows import EVALUATION
from orchestrator.records.load import Sweep

EXAMPLES = Path(__file__).parents[2] / "examples"


def scores_on_test(sweep: Sweep) -> dict[str, Any]:
    """The scores of the best trial on the test part."""
    (ranked,) = best_trials(sweep.paths, sweep.info, 1)
    evaluate.record(sweep.paths, sweep.info.name, evaluate.evaluate(sweep.paths, sweep.info, ranked))
    events = orchestrator.load(sweep.paths.root).events
    scores: dict[str, Any] = json.loads(events[events["event"] == EVALUATION].iloc[0]["detail"])["scores"]
    return scores


@pytest.mark.long
@pytest.mark.timeout(600)
def test_digits_are_told_apart(tmp_path: Path) -> None:
    fewer = ["budget.trials=12"]
    sweep = orchestrator.run(EXAMPLES / "10_digits.yaml", results=tmp_path, cpus=2, gpus=0, overrides=fewer)
    trials = sweep.trials
    assert len(trials) == 12
    assert set(trials["state"]) <= {"completed", "stopped"}
    assert trials["objective"].min() < 0.3
    assert scores_on_test(sweep)["test_accuracy"] > 0.9


@pytest.mark.long
@pytest.mark.timeout(900)
def test_half_a_novel_is_learnt_from(tmp_path: Path) -> None:
    fewer = ["budget.trials=4"]
    sweep = orchestrator.run(EXAMPLES / "11_pride.yaml", results=tmp_path, cpus=2, gpus=0, overrides=fewer)
    trials = sweep.trials
    assert len(trials) == 4
    assert set(trials["state"]) <= {"completed", "stopped"}
    assert trials["objective"].min() < 3.5, "the frequencies of its letters alone take 4.4 bits"
    scores = scores_on_test(sweep)
    assert scores["test_bits_per_token"] == pytest.approx(trials["objective"].min(), abs=0.15)
