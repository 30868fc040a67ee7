"""Trials of several ranks, trained by DDP with gloo: one curve, one end, one failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from cluster.local.embedded import embedded
from orchestrator.core.rows import State
from orchestrator.records.load import Sweep
from tests.ddp import CONFIG, EPOCHS, TRAIN, alone, noted

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=4, gpus=0):
        yield


@pytest.fixture
def ranks_of(sweep_of: Callable[..., Sweep]) -> Callable[..., Sweep]:
    """Launch a sweep of DDP trials, one after the other, each with these values beside its defaults."""

    def launch(workers: int, *configs: dict[str, Any], **sections: Any) -> Sweep:
        given = {
            "fixed": {"epochs": EPOCHS},
            "space": {},
            "search": {"method": "list", "configs": [{**CONFIG, **config} for config in configs]},
            "scheduler": {"method": "none"},
            "budget": {"trials": len(configs)},
            "resources": {"workers": workers, "cpu": 1, "gpu": 0, "concurrency": 1},
        }
        return sweep_of(TRAIN, **(given | sections))

    return launch


def assert_nothing_is_left(sweep: Sweep) -> None:
    pids = {
        note["pid"]
        for trial in sweep.trials["trial"]
        for notes in noted(sweep.paths.trial(trial)).values()
        for note in notes
    }
    assert pids
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_ranks_have_the_curve_of_one_process(ranks_of: Callable[..., Sweep]) -> None:
    sweep = ranks_of(4, {})
    assert sweep.metrics["loss"].tolist() == pytest.approx(alone(0.01), abs=1e-5)
    assert list(noted(sweep.paths.trial(0))) == [0, 1, 2, 3]
    assert_nothing_is_left(sweep)


@pytest.mark.parametrize("variant", ["stop", "promote"])
def test_ranks_stop_at_the_same_step_and_leave_nothing(variant: str, ranks_of: Callable[..., Sweep]) -> None:
    asha = {"method": "asha", "variant": variant, "grace_period": 2, "reduction_factor": 2, "max": EPOCHS}
    others = [{"lr": 0.0002}, {"lr": 0.0001, "all_report": False}]
    sweep = ranks_of(2, {"lr": 0.05}, *others, scheduler=asha)
    states = sweep.trials.set_index("trial")["state"].to_dict()
    assert states == {0: State.COMPLETED, 1: State.STOPPED, 2: State.STOPPED}
    assert [notes[-1]["last"] for notes in noted(sweep.paths.trial(0)).values()] == [EPOCHS, EPOCHS]
    last = [notes[-1]["last"] for notes in noted(sweep.paths.trial(1)).values()]
    assert last == [int(sweep.metrics[sweep.metrics["trial"] == 1]["step"].max())] * 2
    # the other one waited in a collective of step 3, and was ended there
    assert noted(sweep.paths.trial(2))[0][-1]["last"] == 2
    assert_nothing_is_left(sweep)


def test_with_reuse_the_process_group_of_a_trial_ends_with_it(ranks_of: Callable[..., Sweep]) -> None:
    asha = {"method": "asha", "variant": "stop", "grace_period": 2, "reduction_factor": 2, "max": EPOCHS}
    sweep = ranks_of(2, {"lr": 0.01}, {"lr": 0.0001}, {"lr": 0.05}, scheduler=asha, trial={"isolation": "reuse"})
    assert sweep.trials["state"].tolist() == [State.COMPLETED, State.STOPPED, State.COMPLETED]
    for rank in (0, 1):
        assert len({noted(sweep.paths.trial(trial))[rank][0]["pid"] for trial in range(3)}) == 1
    first = sweep.metrics[sweep.metrics["trial"] == 0]
    assert first["loss"].tolist() == pytest.approx(alone(0.01), abs=1e-5)


RAYS_PROCESS = "psutil.Process().parent().parent().kill(); time.sleep(60)"
FAULTS = [
    (0, "os._exit(3)", ("WorkerDied", "exit status 3")),
    (1, "os.kill(os.getpid(), signal.SIGKILL)", ("WorkerDied", "SIGKILL")),
    (0, "raise ValueError('no more')", ("ValueError", "no more")),
    (1, "raise ValueError('no more')", ("ValueError", "no more")),
    (0, RAYS_PROCESS, ("WorkerDied", "worker process")),
    (1, RAYS_PROCESS, ("WorkerDied", "worker process")),
]


def test_a_rank_that_fails_ends_all_and_the_trial_is_retried_as_one(ranks_of: Callable[..., Sweep]) -> None:
    configs = [{"fault": fault, "failing": rank} for rank, fault, _ in FAULTS]
    sweep = ranks_of(2, *configs, trial={"retries": 1, "save_every": 0.1})
    assert set(sweep.trials["state"]) == {State.COMPLETED}
    retries = sweep.events[sweep.events["event"] == "retry"].set_index("trial")
    for number, (rank, fault, expected) in enumerate(FAULTS):
        losses = sweep.metrics[sweep.metrics["trial"] == number]["loss"].tolist()
        assert losses == pytest.approx(alone(0.01), abs=1e-5), (rank, fault)
        began = [
            [note["first"] for note in notes if "first" in note] for notes in noted(sweep.paths.trial(number)).values()
        ]
        assert began in ([[1, 3]] * 2, [[1, 4]] * 2), (
            rank,
            fault,
        )  # rank 0 may have saved step 3 before it missed rank 1
        told = f"{retries.loc[number, 'reason']} {retries.loc[number, 'detail']}"
        assert all(each in told for each in expected), told
        assert ("rank 1 on " in told and f"{number}.rank1.log" in told) is (rank == 1), told
    assert_nothing_is_left(sweep)


FSDP = """
import os
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

def train(config, trial):
    dist.init_process_group("gloo")
    data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))[trial.rank :: trial.world_size]
    target = data.sum(1, keepdim=True)
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    fully_shard(net, mesh=init_device_mesh("cpu", (trial.world_size,)))
    optimizer = torch.optim.SGD(net.parameters(), lr=config["lr"], momentum=0.9)

    def state():
        model, optim = get_state_dict(net, optimizer)
        return {"model": model, "optim": optim}

    first, restored = 1, trial.restore()
    if restored is not None:
        loaded = state()
        dcp.load(loaded, checkpoint_id=restored["path"])
        set_state_dict(net, optimizer, model_state_dict=loaded["model"], optim_state_dict=loaded["optim"])
        first = restored["step"] + 1
    for step in range(first, config["epochs"] + 1):
        loss = torch.nn.functional.mse_loss(net(data), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = loss.detach() / trial.world_size
        dist.all_reduce(mean)
        dcp.save(state(), checkpoint_id=trial.directory / "sharded")  # each rank its part
        trial.save(step=step, path=trial.directory / "sharded")
        trial.report(step=step, loss=mean.item(), first=first)
        if step == 3 and first == 1 and trial.rank == 1:
            os._exit(1)
"""


def test_shards_that_all_ranks_write_are_one_checkpoint(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        FSDP,
        fixed={"epochs": EPOCHS},
        space={},
        search={"method": "list", "configs": [{"lr": 0.01}]},
        scheduler={"method": "none"},
        budget={"trials": 1},
        resources={"workers": 2, "cpu": 1, "gpu": 0},
        trial={"retries": 1, "save_every": 0.01},
    )
    assert sweep.metrics["loss"].tolist() == pytest.approx(alone(0.01), abs=1e-5)
    assert sweep.metrics["first"].tolist()[-1] > 1  # it went on from the shards
