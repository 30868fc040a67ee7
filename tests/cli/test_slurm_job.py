"""`--on slurm` without a Slurm: what is refused before anything is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record

TRAIN = "def train(config, trial):\n    trial.report(step=1, loss=config['x'])\n"
SPEC = (
    "trainable: train.py:train\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: loss}\nname: s\nbudget: {trials: 4}"
)


@pytest.fixture
def spec(sweep: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "s.yaml").write_text(SPEC)
    (tmp_path / "profiles.yaml").write_text("big: {nodes: 2, cpus_per_node: 8, secrets: [A_KEY]}\nbare: {}\n")
    monkeypatch.setenv("SWEEP_PROFILES", str(tmp_path / "profiles.yaml"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("A_KEY", raising=False)
    return "s.yaml"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--on", "slurm"], "Slurm is not installed here: sbatch was not found"),
        (["--on", "big"], "big needs A_KEY, which is not set: export it and launch again"),
        (["--on", "bug"], "did you mean big?"),
        (["--on", "slurm", "--cpus", "2"], "set cpus_per_node and gpus_per_node in the site profile"),
        (["--nodes", "2"], "--nodes requires Slurm, not --on local"),
        (["-d"], "--detach requires --on slurm, a Slurm profile or http://…, not --on local"),
    ],
)
def test_what_is_refused_leaves_nothing(
    sweep: Callable[..., Ran], spec: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ran = sweep("launch", spec, *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not list((tmp_path / "results").glob("*"))


def test_plan_knows_what_a_profile_tells(sweep: Callable[..., Ran], spec: str) -> None:
    assert "16 trials at once, 1 CPU each" in sweep("plan", spec, "--on", "big").out
    assert "the profile bare does not say how many CPUs a node has" in sweep("plan", spec, "--on", "bare").err


def test_a_job_that_cannot_be_asked_for_here(sweep: Callable[..., Ran], spec: str, tmp_path: Path) -> None:
    paths = record(tmp_path / "results")
    paths.slurm.mkdir()
    (paths.slurm / "job").write_text("12")
    assert "finished" in sweep("ls").out
    paths.trials_table.unlink()
    assert "queued?" in sweep("ls").out
    assert "job 12 cannot be looked up: Slurm is not installed here" in sweep("show").out
