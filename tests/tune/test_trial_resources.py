"""Trials that ask for different resources, through real Ray Tune with pretended GPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

from cluster.local.embedded import embedded

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=3, gpus=3):
        yield


def test_each_trial_gets_the_gpus_cpus_and_threads_that_it_asks_for(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import time
        import torch

        def train(config, trial):
            assert torch.get_num_threads() == config["gpus"]
            trial.report(step=1, loss=1.0)
            time.sleep(0.1)
        """,
        space={"gpus": {"int": [1, 3]}},
        search={"method": "list", "configs": [{"gpus": number} for number in (3, 1, 2)]},
        resources={"gpu": "gpus", "cpu": "gpus"},
        budget={},
    )
    assert sweep_of.error is None
    trials = sweep.trials
    assert set(trials["state"]) == {"completed"}
    assert trials["gpus"].tolist() == trials["config.gpus"].tolist()
    assert [len(ids) for ids in trials["gpu_ids"]] == trials["gpus"].tolist()
    spans = trials[["started_at", "ended_at", "gpu_ids"]].explode("gpu_ids")
    for _, one in spans.sort_values("started_at").groupby("gpu_ids"):
        slack = pd.Timedelta(milliseconds=20)  # an end is noted when the driver hears of it
        assert (one["started_at"].iloc[1:].to_numpy() > (one["ended_at"].iloc[:-1] - slack).to_numpy()).all()
