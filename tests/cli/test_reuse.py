"""`sweep launch --reuse` as a user runs it, on real Ray: nothing is trained twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.cli.conftest import Ran
from tests.cli.test_confirm import SPEC, TRAIN, command

pytestmark = pytest.mark.long

Sweep = Callable[..., Ran]
OFFER = "small has finished trials that this sweep trains again; sweep launch --reuse takes them over"


def test_the_same_spec_again_trains_only_what_is_new(tmp_path: Path, sweep: Sweep) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "small.yaml").write_text(SPEC)
    two = ("--set", "space.x={choice: [1, 2]}")
    first = command(tmp_path, "launch", "small.yaml", "--cpus", "2", *two)
    assert first.returncode == 0, first.stderr
    assert "--reuse" not in first.stdout + first.stderr

    again = command(tmp_path, "launch", "small.yaml", "--cpus", "2", "--reuse", *two)  # Ray Tune has nothing to do
    assert again.returncode == 0, again.stderr
    more = command(tmp_path, "launch", "small.yaml", "--cpus", "2", "--reuse")
    assert more.returncode == 0, more.stderr
    assert "taken over from trial 1 of small: the trainable finished" in more.stdout
    trials = load(tmp_path / "results" / "small-3").trials
    assert trials["origin"].tolist() == ["reused", "reused", "search", "search"]
    assert trials["objective"][:2].tolist() == load(tmp_path / "results" / "small").trials["objective"].tolist()
    results = ("--results", tmp_path / "results")
    for name in ("small-2", "small-3"):
        assert sweep("verify", name, *results).code == 0
        assert sweep("show", name, "--ledger", *results).code == 0
    ran = sweep("best", "small-2", "--checkpoint", tmp_path / "model", *results)
    assert "it was taken over from trial 0 of small, and its checkpoint stayed there" in ran.err

    offered = command(tmp_path, "launch", "small.yaml", "--cpus", "2")
    assert OFFER in offered.stdout + offered.stderr


def test_not_on_slurm(tmp_path: Path, sweep: Sweep) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "small.yaml").write_text(SPEC)
    ran = sweep("launch", "small.yaml", "--reuse", "--on", "slurm")
    assert (ran.code, "--reuse is not possible with --on slurm" in ran.err) == (2, True)
