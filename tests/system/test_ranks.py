"""Trials with ranks on two hosts, which are network namespaces: they train together, and survive the loss of a host."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.ddp import CONFIG, EPOCHS, TRAIN, alone, noted
from tests.system.hosts import ENVIRONMENT, MARK, ROOT, Host, Hosts, ip

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


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
    gloo = f"import os\nos.environ['GLOO_SOCKET_IFNAME'] = '{MARK}i'\n"
    (tmp_path / "train.py").write_text(gloo + TRAIN)
    config = json.dumps({**CONFIG, "hold": 5})
    (tmp_path / "s.yaml").write_text(
        textwrap.dedent(
            f"""
            name: s
            trainable: train.py:train
            fixed: {{epochs: {EPOCHS}}}
            search: {{method: list, configs: [{config}]}}
            objective: {{metric: loss}}
            scheduler: {{method: none}}
            trial: {{save_every: 0.2}}
            resources: {{workers: 2, cpu: 1, gpu: 0}}
            """
        )
    )
    command = [sys.executable, "-m", "orchestrator", "launch", "s.yaml", "--on", hosts.address]
    launched = hosts.head.run(*command, cwd=tmp_path)
    sweep = tmp_path / "results" / "s"
    saved = sweep / "checkpoints" / "0" / "last.pt"
    while not (saved.exists() and all("holds" in notes[-1] for notes in noted(sweep / "trials" / "0").values())):
        assert launched.poll() is None, launched.communicate()[0]
        time.sleep(0.2)
    environ = [notes[0]["environ"] for notes in noted(sweep / "trials" / "0").values()]
    assert [each["LOCAL_RANK"] + each["GROUP_RANK"] for each in environ] == ["00", "01"]  # on two hosts
    kill_all_of(_host_of_rank_1(hosts, environ[0]["MASTER_ADDR"]))
    said, _ = launched.communicate(timeout=300)
    assert launched.returncode == 0, said
    recorded = load(sweep)
    assert recorded.trials["state"].tolist() == ["completed"], said
    assert recorded.trials["preemptions"].tolist() == [1], said
    assert recorded.trials["failures"].tolist() == [0], said
    assert recorded.metrics["step"].tolist() == list(range(1, EPOCHS + 1))
    assert recorded.metrics["loss"].tolist() == pytest.approx(alone(0.01), abs=1e-5)
    assert [notes[-2]["first"] > 1 for notes in noted(sweep / "trials" / "0").values()] == [True, True]


def _host_of_rank_1(hosts: Hosts, master: str) -> Host:
    """The host that has a trial's process and is not rank 0's."""
    for host in hosts.others:
        names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in ip("netns", "pids", host.name).split()]
        if host.address != master and any(b"RankActor" in name for name in names):
            return host
    raise AssertionError("no host has rank 1")
