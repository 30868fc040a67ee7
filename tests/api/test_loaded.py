"""What a loaded sweep answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator
from tests.analysis.report.made import KINDS
from trainables.checkpoints import files
from trainables.checkpoints.saving import Checkpoints

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "churn-example"


def test_the_best_trial() -> None:
    sweep = orchestrator.load(EXAMPLE)
    best = sweep.best
    assert best is not None
    row = sweep.trials.loc[sweep.trials["objective"].idxmax()]
    assert (best.trial, best.objective, best.step) == (row["trial"], row["objective"], row["best_step"])
    assert best.state == row["state"]
    assert best.config["epochs"] == 30  # a fixed value
    assert best.config["lr"] == row["config.lr"]
    assert best.checkpoint is None
    assert "trial.keep: none" in best.no_checkpoint


def test_its_checkpoint(tmp_path: Path) -> None:
    sweep = orchestrator.load(KINDS["some"](tmp_path).root)
    before = sweep.best
    assert before is not None
    assert before.checkpoint is None
    assert "never called trial.save" in before.no_checkpoint
    directory = sweep.paths.checkpoints(before.trial)
    orchestrator.Trial(config={}, checkpoints=Checkpoints(directory)).save(step=3, weight=0.5)
    found = sweep.best
    assert found is not None
    assert found.checkpoint is not None
    assert found.checkpoint.parent == directory
    assert files.load(found.checkpoint) == {"step": 3, "weight": 0.5}
    assert found.no_checkpoint == ""


def test_importance_prints_and_has_a_frame() -> None:
    found = orchestrator.load(EXAMPLE).importance()
    assert list(found.weights.columns) == ["parameter", "share", "low", "high", "trials"]
    assert found.weights["share"].is_monotonic_decreasing
    assert "what matters for val_auroc" in repr(found)
    assert all(remark in repr(found) for remark in found.remarks)


def test_diagnosis_prints_and_has_frames() -> None:
    found = orchestrator.load(EXAMPLE).diagnosis()
    assert list(found.trials.columns) == ["trial", "diagnosis", "diagnosis_reason"]
    assert len(found.trials) == 60
    assert list(found.findings.columns) == ["subject", "sentence", "advice", "urgent"]
    assert all(sentence in repr(found) for sentence in found.findings["sentence"])


@pytest.mark.parametrize("answer", ["importance", "diagnosis"])
def test_before_the_first_trial(answer: str, tmp_path: Path) -> None:
    sweep = orchestrator.load(KINDS["just-started"](tmp_path).root)
    assert sweep.best is None
    found = getattr(sweep, answer)()
    assert repr(found)
    frame = found.weights if answer == "importance" else found.trials
    assert frame.empty
    assert len(frame.columns) >= 3
