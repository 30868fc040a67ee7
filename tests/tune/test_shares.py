"""Shares of GPUs through real Ray Tune, with a fake GPU.

The trainables replace functions of trainables/process/device.py in the process that trains them, or raise what CUDA
raises. The share that a trial occupies is Ray's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cluster.local.embedded import embedded
from orchestrator.core.gpu_packing import FIRST

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=3, gpus=1):
        yield


def test_packed_trials_share_a_gpu_by_the_peaks_of_the_first(sweep_of: Callable[..., Any]) -> None:
    """Three trials wait for each other, so they can only end if they run at once."""
    sweep = sweep_of(
        """
        import pathlib, time
        import ray
        from trainables.process import device

        together = pathlib.Path("together")

        def train(config, trial):
            device.use = lambda: device.Use(peak=4e9, size=16e9, utilisation=0.5)
            share = ray.get_runtime_context().get_assigned_resources()["GPU"]
            if share < 1:
                together.mkdir(exist_ok=True)
                (together / str(trial.number)).touch()
                while len(list(together.iterdir())) < 3:
                    time.sleep(0.05)
            trial.report(step=1, loss=config["x"], share=share)
        """,
        resources={"gpu": "packed"},
        budget={"trials": FIRST + 4},
    )
    assert sweep_of.error is None
    assert set(sweep.trials["state"]) == {"completed"}
    shares = [1.0] * FIRST + [0.3333] * 4
    assert sweep.trials["gpus"].tolist() == shares
    assert sweep.metrics.sort_values("trial")["share"].tolist() == pytest.approx(shares)
    assert [list(ids) for ids in sweep.trials["gpu_ids"]] == [["0"]] * len(shares)
    assert sweep.metrics["gpu_memory_gb"].tolist() == [4.0] * len(shares)
    assert sweep.metrics["gpu_utilisation"].tolist() == [0.5] * len(shares)
    (choice,) = sweep.events[sweep.events["event"] == "packing"].itertuples()
    assert "3 trials share a GPU, because the first 3 used up to 4.0 of 16.0 GB" in choice.reason
    assert json.loads(choice.detail) == {"gpus": 0.3333}


def test_running_out_of_memory_is_retried_with_twice_the_share(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import ray

        def train(config, trial):
            share = ray.get_runtime_context().get_assigned_resources()["GPU"]
            trial.report(step=1 if share == 0.25 else 2, loss=1.0, share=share)
            if share < config["needs"]:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        """,
        space={"needs": {"grid": [0.2, 0.4, 0.9]}},
        search={"method": "grid"},
        resources={"gpu": 0.25},
        budget={},
    )
    assert sweep_of.error is None
    trials = sweep.trials.set_index("config.needs")
    assert trials["state"].to_dict() == {0.2: "completed", 0.4: "completed", 0.9: "failed"}
    assert trials["gpus"].to_dict() == {0.2: 0.25, 0.4: 0.5, 0.9: 0.5}
    assert trials["failures"].to_dict() == {0.2: 0, 0.4: 0, 0.9: 1}
    assert trials.loc[0.9, "error_type"] == "GpuOutOfMemory"
    assert sweep.metrics.groupby("trial")["share"].max().tolist() == [0.25, 0.5, 0.5]
    retries = sweep.events[sweep.events["event"] == "retry"]
    assert retries["decision"].tolist() == ["out of memory"] * 2
    assert [json.loads(detail)["gpus"] for detail in retries["detail"]] == [0.5, 0.5]


def test_a_process_that_keeps_gpu_memory_is_not_used_again(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import os
        from trainables.process import device

        def train(config, trial):
            device.held, device.holders = lambda: 2e9, lambda: ["train.CACHE (2.0 GB)"]
            trial.report(step=1, loss=config["x"], pid=os.getpid())
        """,
        resources={"gpu": 1},
        budget={"trials": 2},
        trial={"isolation": "reuse"},
    )
    assert sweep_of.error is None
    assert sweep.metrics["pid"].nunique() == 2
    assert "a trial left 2.0 GB of GPU memory allocated" in (sweep.paths.root / "logs" / "0.log").read_text()
    (note,) = sweep.events[sweep.events["event"] == "note"]["reason"]
    assert note == (
        "worker processes are replaced: a trial left 2.0 GB of GPU memory allocated, held by train.CACHE (2.0 GB)"
    )
