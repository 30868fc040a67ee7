"""The callbacks with the real libraries: programs of their documentation are stopped, killed and resumed."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import torch

from tests.terminal import Terminal
from trainables.checkpoints.files import load
from trainables.process.seeding import seed_all
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]

EPOCHS, BATCHES = 4, 4  # batches an epoch
PROGRAMS = {
    "autoencoder": {"train_loss", "val_loss", "learning_rate"},
    "classifier": {"loss", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy"},
}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return importlib.import_module(f"tests.trainables.libraries.{request.param}")


def trained(
    program: ModuleType, directory: Path, *, until: int | None = None, step: str = "epoch", **options: Any
) -> list[Report]:
    """The reports of one attempt, which ends with the report at ``until``."""
    reports: list[Report] = []

    def take(report: Report) -> None:
        if reports and reports[-1].step == report.step:
            report = reports.pop().joined(report)
        reports.append(report)
        if report.step == until:
            raise TrialEnded

    config = {"lr": 1e-2, "epochs": EPOCHS, "step": step}
    trial = Trial(config=config, seed=7, directory=directory, sink=take)
    seed_all(7)
    try:
        program.train(config, trial, **options)
    except TrialEnded:
        assert reports[-1].step == until
    else:
        assert until is None
    return reports


def curve(reports: list[Report]) -> list[tuple[int, dict[str, float]]]:
    return [(report.step, dict(report.metrics)) for report in reports]


@pytest.mark.parametrize(("step", "unit"), [("epoch", 1), ("global_step", BATCHES)])
def test_stopped_and_resumed_it_reports_as_if_it_had_not_been(
    program: ModuleType, tmp_path: Path, step: str, unit: int
) -> None:
    whole = curve(trained(program, tmp_path / "whole", step=step))
    assert [at for at, _ in whole] == [unit * epoch for epoch in range(1, EPOCHS + 1)]
    names = PROGRAMS[program.__name__.rpartition(".")[2]]
    assert [set(metrics) for _, metrics in whole] == [names] * EPOCHS

    parts = trained(program, tmp_path / "parts", step=step, until=2 * unit)
    assert load(tmp_path / "parts" / "checkpoints" / "last.json")["step"] == 2 * unit
    if program.__name__.endswith("autoencoder"):
        (tmp_path / "parts" / ".lightning-0a1b2c3d").mkdir()  # left by a kill
    parts += trained(program, tmp_path / "parts", step=step)
    assert curve(parts) == whole
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["checkpoints"], "nothing else is left"


def test_a_step_that_there_is_not(program: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SweepCallback\(step='batch'\): a step is an 'epoch' or a 'global_step'"):
        trained(program, tmp_path, step="batch")


def test_lightning_reports_no_validation_twice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = importlib.import_module("tests.trainables.libraries.autoencoder")
    reports = trained(program, tmp_path / "a", check_val_every_n_epoch=2)
    assert [report.step for report in reports if "val_loss" in report.metrics] == [2, 4]
    within = trained(program, tmp_path / "b", step="global_step", val_check_interval=2)
    assert [report.step for report in within if "val_loss" in report.metrics] == list(range(2, 17, 2))
    assert [report.step for report in within if "learning_rate" in report.metrics] == [4, 8, 12, 16]


def test_lightning_says_if_its_checkpoint_is_not_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import lightning as L

    from tests.trainables.libraries.autoencoder import LitAutoEncoder
    from trainables.libraries.lightning import SweepCallback

    for _ in range(2):
        trial = Trial(config={}, directory=tmp_path)
        trainer = L.Trainer(callbacks=[SweepCallback(trial)], max_epochs=1, logger=False, default_root_dir=tmp_path)
        trainer.fit(
            LitAutoEncoder(0.1), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(4, 784)))
        )
        assert [report.step for report in trial.history] == [1]
    assert capfd.readouterr().err.count("begins again: pass its checkpoint on") == 1


OLDER_NAME = """
import sys
import pytorch_lightning as pl
from pytorch_lightning.demos.boring_classes import BoringModel
from trainables.trial import Trial
from trainables.libraries.lightning import SweepCallback

class Model(BoringModel):
    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)["loss"]
        self.log("loss", loss)
        return loss

trial = Trial(config={})
trainer = pl.Trainer(callbacks=[SweepCallback(trial)], max_epochs=2, limit_train_batches=1, logger=False)
trainer.fit(Model())
assert [(report.step, set(report.metrics)) for report in trial.history] == [(1, {"loss"}), (2, {"loss"})]
assert [type(each).__name__ for each in trainer.checkpoint_callbacks] == ["SweepCallback"]
assert "lightning" not in sys.modules
"""


def test_lightning_under_its_older_name(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OLDER_NAME], cwd=tmp_path, timeout=120, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


# ------------------------------------------------------------------------------------------- sweeps with Ray

SPEC = """
name: s
trainable: train.py:train
fixed: {{epochs: {epochs}, step: epoch}}
space:
  lr: {{loguniform: [1.0e-4, 1.0e-1]}}
search: {{method: random, seed: 3}}
objective: {{metric: {metric}, mode: min}}
scheduler: {scheduler}
budget: {{trials: 4}}
resources: {{cpu: 1}}
"""
ASHA = f"{{method: asha, max: {EPOCHS}, grace_period: 1, reduction_factor: 2}}"


@pytest.fixture
def terminals(program: ModuleType, tmp_path: Path) -> Iterator[list[Terminal]]:
    assert program.__file__ is not None
    metric = "val_loss" if program.__name__.endswith("autoencoder") else "eval_loss"
    made = []
    for name, scheduler in (("asha", ASHA), ("whole", "{method: none}")):
        (tmp_path / name).mkdir()
        spec = SPEC.format(epochs=EPOCHS, metric=metric, scheduler=scheduler)
        made.append(Terminal(tmp_path / name, spec=spec, train=Path(program.__file__).read_text()))
    yield made
    for each in made:
        each.close()


@pytest.mark.timeout(600)
def test_a_sweep_that_is_killed_ends_as_if_it_had_not_been(program: ModuleType, terminals: list[Terminal]) -> None:
    """Trials are paused, promoted and stopped by ASHA; the driver is killed in the middle, and the sweep resumed."""
    killed, whole = terminals
    killed.seconds_a_step, whole.seconds_a_step = 1.0, 0.0
    launched = killed.start("launch", "spec.yaml")
    killed.wait_for(lambda: killed.rows() >= 3, launched, seconds=200)
    os.killpg(launched.pid, signal.SIGKILL)
    killed.seconds_a_step = 0.0
    code, out = killed.run("resume", "s")
    assert code == 0, out
    assert "each trial gets a new process" not in out, "they fork"
    trials = killed.trials()
    assert set(trials["state"]) == {"completed", "stopped"}
    assert (trials["attempts"] > 1).any()

    code, out = whole.run("launch", "spec.yaml")
    assert code == 0, out
    got, expected = (each.metrics().set_index(["trial", "step"]).sort_index() for each in terminals)
    assert got.index.is_unique
    names = sorted(PROGRAMS[program.__name__.rpartition(".")[2]])
    pd.testing.assert_frame_equal(got[names], expected.loc[got.index][names])

    code, out = killed.run("best", "s", "--checkpoint", "model")
    assert code == 0, out
    assert f"step {trials['best_step'][trials['objective'].idxmin()]}" in out
    assert sum(each.numel() for each in program.load(killed.directory / "model").parameters()) > 1000
    kept = {path.name for path in (killed.results / "checkpoints").iterdir()}
    assert kept == {str(trial) for trial in trials.loc[trials["state"] == "completed"].index}
