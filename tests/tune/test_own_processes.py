"""Trials that start their own distributed processes, with torch or with torchrun: they end with the trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.core.rows import State
from orchestrator.records.load import Sweep
from tests.docs.test_blocks import ROOT, blocks

TRIALS = 2
EPOCHS = 9


@pytest.fixture
def documented(tmp_path: Path) -> None:
    """The programs of the page."""
    for block in blocks(ROOT / "docs" / "your_own.md"):
        if block.file in ("ddp.py", "train.py", "spawned.py"):
            (tmp_path / block.file).write_text(block.text)


@pytest.mark.long
@pytest.mark.parametrize("program", ["train", "spawned"])
def test_processes_report_are_stopped_and_leave_nothing(
    program: str, documented: None, sweep_of: Callable[..., Sweep]
) -> None:
    sweep = sweep_of(
        trainable=f"{program}.py:train",
        fixed={"epochs": EPOCHS},
        space={"lr": {"choice": [0.3, 0.001]}},
        search={"method": "list", "configs": [{"lr": 0.3}, {"lr": 0.001}]},
        objective={"metric": "val_loss"},
        scheduler={"method": "asha", "variant": "stop", "grace_period": 3, "reduction_factor": 2, "max": EPOCHS},
        budget={"trials": TRIALS},
        resources={"concurrency": 1},
    )
    assert sweep.trials.set_index("trial")["state"].to_dict() == {0: State.COMPLETED, 1: State.STOPPED}
    assert sweep.metrics.groupby("trial")["step"].max().to_dict() == {0: EPOCHS, 1: 3}
    assert not [each for each in psutil.Process().children(recursive=True) if _is_rank(each)]


def _is_rank(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return "ddp.py" in command or "spawn_main" in command
