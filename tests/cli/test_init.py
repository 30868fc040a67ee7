"""`sweep init`: what it writes is valid and trains, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.spec.load_trainable import load
from tests.cli.conftest import Ran
from trainables.contract import run
from trainables.process.seeding import seed_all
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

Sweep = Callable[..., Ran]


@pytest.mark.parametrize("options", [(), ("--minimal",)])
def test_what_it_writes_is_fine_and_trains(options: tuple[str, ...], sweep: Sweep, tmp_path: Path) -> None:
    ran = sweep("init", "new", *options)
    assert ran.code == 0
    assert ran.out.splitlines() == [f"sweep {c} new/sweep.yaml" for c in ("try", "plan", "launch")]
    for command in ("check", "plan", "try"):
        ran = sweep(command, tmp_path / "new" / "sweep.yaml")
        assert ran.code == 0, ran.err
    assert "warning" not in ran.out


def test_a_trial_that_was_cut_off_goes_on_exactly(sweep: Sweep, tmp_path: Path) -> None:
    assert sweep("init").code == 0
    train = load("train.py:train", tmp_path)
    config = {"epochs": 5, "lr": 0.01, "width": 16, "dropout": 0.5, "optimizer": "adamw"}

    def trial(name: str, sink: Any = None) -> Trial:
        seed_all(0)
        return Trial(config=config, directory=tmp_path / name, device="cpu", sink=sink)

    def cut_off(report: Report) -> None:
        if report.step == 3:
            raise TrialEnded

    run(train, whole := trial("whole"))
    with pytest.raises(TrialEnded):
        run(train, trial("parts", cut_off))
    run(train, rest := trial("parts"))
    assert [report.step for report in rest.history] == [4, 5]
    assert [report.metrics for report in rest.history] == [report.metrics for report in whole.history[3:]]


def test_nothing_is_overwritten(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    ran = sweep("init")
    assert ran.code == 2
    assert "train.py exists" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]


def test_a_place_that_cannot_be_written(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = sweep("init", "file/new")
    assert ran.code == 2
    assert "cannot write" in ran.err
