"""Trials with ranks on two hosts, which are network namespaces: they train together, and survive the loss of a host."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.system.hosts import ENVIRONMENT, MARK, ROOT, Host, Hosts, ip
from tests.tune.test_ranks import alone

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

STEPS = 24

TRAIN = f"""
import os, time
os.environ["GLOO_SOCKET_IFNAME"] = "{MARK}i"
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

def train(config, trial):
    dist.init_process_group("gloo")
    data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))[trial.rank :: trial.world_size]
    target = data.sum(1, keepdim=True)
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    model = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=config["lr"], momentum=0.9)
    restored = trial.restore()
    if restored is not None:
        net.load_state_dict(restored["net"])
        optimizer.load_state_dict(restored["optimizer"])
    for step in range(restored["step"] + 1 if restored else 1, {STEPS} + 1):
        time.sleep(0.5)
        loss = torch.nn.functional.mse_loss(model(data), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = loss.detach() / trial.world_size
        dist.all_reduce(mean)
        trial.save(step=step, net=net, optimizer=optimizer)
        with open(f"steps-{{trial.rank}}", "a") as file:
            print(step, os.environ["MASTER_ADDR"], os.environ["LOCAL_RANK"], os.environ["GROUP_RANK"], file=file)
        trial.report(step=step, loss=mean.item())
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    hosts = Hosts(3)
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.stop()


def kill_all_of(host: Host) -> None:
    """Everything on a host, as if it were switched off."""
    pids = ip("netns", "pids", host.name).split()
    subprocess.run([*ROOT, "kill", "-9", *pids], check=False, capture_output=True, env=ENVIRONMENT)


def test_a_host_of_a_trial_is_lost_and_the_trial_goes_on_elsewhere(hosts: Hosts, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "s.yaml").write_text(
        textwrap.dedent(
            """
            name: s
            trainable: train.py:train
            search: {method: list, configs: [{lr: 0.01}]}
            objective: {metric: loss}
            scheduler: {method: none}
            trial: {save_every: 0.2}
            resources: {workers: 2, cpu: 1, gpu: 0}
            """
        )
    )
    command = [sys.executable, "-m", "orchestrator", "launch", "s.yaml", "--on", hosts.address]
    launched = hosts.head.run(*command, cwd=tmp_path)
    steps = tmp_path / "steps-1"
    while not steps.exists() or len(steps.read_text().splitlines()) < 5:
        assert launched.poll() is None, launched.communicate()[0]
        time.sleep(0.2)
    _, master, local_rank, group_rank = steps.read_text().splitlines()[0].split()
    assert (local_rank, group_rank) == ("0", "1")  # on another host than rank 0
    kill_all_of(_host_of_rank_1(hosts, master))
    said, _ = launched.communicate(timeout=300)
    assert launched.returncode == 0, said
    sweep = load(tmp_path / "results" / "s")
    assert sweep.trials["state"].tolist() == ["completed"], said
    assert sweep.trials["preemptions"].tolist() == [1], said
    assert sweep.trials["failures"].tolist() == [0], said
    assert sweep.metrics["step"].tolist() == list(range(1, STEPS + 1))
    assert sweep.metrics["loss"].tolist()[:6] == pytest.approx(alone(0.01), abs=1e-5)


def _host_of_rank_1(hosts: Hosts, master: str) -> Host:
    """The host that has a trial's process and is not rank 0's."""
    for host in hosts.others:
        names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in ip("netns", "pids", host.name).split()]
        if host.address != master and any(b"RankActor" in name for name in names):
            return host
    raise AssertionError("no host has rank 1")
