"""Nodes that are cut off from the driver, for ten seconds and for ever, as hosts in network namespaces are."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from orchestrator.records.load import Sweep, load
from tests.system.hosts import Host, Hosts

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

TRIALS, STEPS = 6, 24


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    hosts = Hosts(2)
    try:
        hosts.start()
        yield hosts
    finally:
        hosts.stop()


class Launch:
    """`sweep launch` on the head; what its trials do, they note in a file of the host they are on."""

    def __init__(self, hosts: Hosts, directory: Path) -> None:
        (directory / "train.py").write_text(
            textwrap.dedent(
                f"""
                import time
                import psutil

                hosts = {[host.address for host in hosts.others]}

                def train(config, trial):
                    addresses = [each.address for card in psutil.net_if_addrs().values() for each in card]
                    (host,) = [address for address in addresses if address in hosts]
                    saved = trial.restore() or {{"step": 0}}
                    for step in range(saved["step"] + 1, {STEPS} + 1):
                        time.sleep(0.5)
                        trial.report(step=step, loss=config["x"] / step)
                        trial.save(step=step)
                        with open(f"steps-{{host}}", "a") as file:
                            print(trial.number, step, time.time(), file=file)
                """
            )
        )
        (directory / "s.yaml").write_text(
            textwrap.dedent(
                f"""
                name: s
                trainable: train.py:train
                space: {{x: {{uniform: [0, 1]}}}}
                objective: {{metric: loss}}
                search: {{method: random}}
                budget: {{trials: {TRIALS}}}
                trial: {{save_every: 0.2}}
                resources: {{gpu: 0}}
                """
            )
        )
        self.directory = directory
        self.root = directory / "results" / "s"
        command = [sys.executable, "-m", "orchestrator", "launch", "s.yaml", "--on", hosts.address]
        self.process = hosts.head.run(*command, cwd=directory)

    def trains_on(self, host: Host) -> None:
        """Wait until a trial does that has been saved."""
        while not (self._steps(host)[1] >= 3).any():
            assert self.process.poll() is None, self.process.communicate()[0]
            time.sleep(0.2)

    def last_step_at(self, host: Host) -> float:
        """When a trial there trained last."""
        return float(self._steps(host)[2].max())

    def _steps(self, host: Host) -> pd.DataFrame:
        path = self.directory / f"steps-{host.address}"
        return pd.read_csv(path, sep=" ", header=None) if path.exists() else pd.DataFrame({1: [], 2: []})

    def records(self) -> Sweep:
        """At its end, with nothing lost and nothing doubled."""
        said, _ = self.process.communicate()
        assert self.process.returncode == 0, said
        sweep = load(self.root)
        assert sweep.trials.state.tolist() == ["completed"] * TRIALS, said
        assert sweep.trials.failures.sum() == 0, said
        assert sorted(zip(sweep.metrics.trial, sweep.metrics.step, strict=True)) == [
            (trial, step) for trial in range(TRIALS) for step in range(1, STEPS + 1)
        ]
        return sweep


@pytest.fixture
def launch(hosts: Hosts, tmp_path: Path) -> Iterator[Launch]:
    launch = Launch(hosts, tmp_path)
    yield launch
    if launch.process.poll() is None:
        launch.process.terminate()
        try:
            launch.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            launch.process.kill()


def test_for_ten_seconds(hosts: Hosts, launch: Launch) -> None:
    host = hosts.others[1]
    launch.trains_on(host)
    host.cut()
    cut_at = time.time()
    time.sleep(10)
    host.mend()
    launch.records()
    assert launch.last_step_at(host) > cut_at + 10  # it is used again


def test_for_ever(hosts: Hosts, launch: Launch) -> None:
    host = hosts.others[1]
    launch.trains_on(host)
    host.cut()
    cut_at = time.time()
    trials = launch.records().trials
    assert trials.preemptions.sum() == 1
    assert set(trials.attempts) == {1, 2}
    assert launch.last_step_at(host) < cut_at + 15  # who is not asked for its reports does not train on for long
