"""Sweeps on a cluster that runs already: joined with its token, measured, waited for, left running, and lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.cluster.started import Started, started

pytestmark = pytest.mark.long

SPEC = """
name: s
trainable: train.py:train
space: {x: {uniform: [0, 1]}}
fixed: {seconds: 0.0}
objective: {metric: loss}
search: {method: random}
budget: {trials: 4}
resources: {cpu: 1, gpu: 0}
"""
TRAIN = """
import time
def train(config, trial):
    for step in range(1, 11):
        time.sleep(config["seconds"])
        trial.report(step=step, loss=config["x"])
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Started]:
    with started() as cluster:
        yield cluster


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SPEC)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def launched(cluster: Started, place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return cluster.sweep("launch", "s.yaml", "--on", cluster.address, *words, cwd=place, **env)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"RAY_AUTH_TOKEN": "another"}, "does not accept our token"),
        ({"RAY_AUTH_MODE": "disabled"}, "requires a token, and RAY_AUTH_MODE is disabled"),
    ],
)
def test_a_cluster_that_does_not_take_us(cluster: Started, place: Path, env: dict[str, str], said: str) -> None:
    ran = launched(cluster, place, **env)
    assert ran.returncode == 2, ran.stdout
    assert said in ran.stdout
    assert "another" not in ran.stdout.replace("it makes another", "")
    assert ran.stdout.count("\n") == 1, "one sentence, and nothing of Ray's own"
    assert not (place / "results").exists()


def test_no_cluster_there(cluster: Started, place: Path) -> None:
    ran = cluster.sweep("launch", "s.yaml", "--on", "127.0.0.1:1", cwd=place)
    assert (ran.returncode, ran.stdout) == (2, "error: no Ray cluster at 127.0.0.1:1: Connection refused\n")


def test_what_fits_nowhere_is_refused_before_anything_is_written(cluster: Started, place: Path) -> None:
    ran = launched(cluster, place, "--set", "resources.custom={tpu_slice: 1}", "--set", "resources.accelerator=A100")
    assert ran.returncode == 2
    assert "has 0 of the 1 tpu_slice and no A100" in ran.stdout
    assert not (place / "results").exists()


def test_a_sweep_runs_and_the_cluster_goes_on(cluster: Started, place: Path) -> None:
    ran = launched(cluster, place)
    assert ran.returncode == 0, ran.stdout
    sweep = load(place / "results" / "s")
    assert sweep.trials.state.tolist() == ["completed"] * 4
    assert json.loads((place / "results/s/sweep.json").read_text())["engine"] == cluster.address
    assert (cluster._home / "token").read_text() not in (place / "results/s/sweep.json").read_text()
    assert len(cluster.processes("gcs_server")) == 1
    assert not list(place.glob(".sweep-probe*"))


def test_auto_is_the_cluster_of_this_machine(cluster: Started, place: Path) -> None:
    ran = cluster.sweep("plan", "s.yaml", "--on", "auto", cwd=place, RAY_ADDRESS=cluster.address)
    assert ran.returncode == 0, ran.stdout
    assert "2 trials at once" in ran.stdout


def test_doctor_asks_the_nodes(cluster: Started, place: Path) -> None:
    ran = cluster.sweep("doctor", "--on", cluster.address, cwd=place)
    assert "2 of 2" in ran.stdout
    assert "same versions, shared results directory" in ran.stdout


def test_a_node_that_joins_is_waited_for_and_used(cluster: Started, place: Path) -> None:
    wanted = ("--set", "resources.custom={tpu_slice: 1}", "--wait")
    process, ended = cluster.begun("launch", "s.yaml", "--on", cluster.address, *wanted, cwd=place)
    assert process.stdout is not None
    assert "waiting for a node: no node has room for one trial" in process.stdout.readline()
    cluster.node("--num-cpus=1", '--resources={"tpu_slice": 1}')
    ran = ended()
    assert ran.returncode == 0, ran.stdout
    assert load(place / "results" / "s").trials.state.tolist() == ["completed"] * 4


def test_a_head_that_goes_away_ends_the_sweep_in_order(cluster: Started, place: Path) -> None:
    """Stands last: there is no cluster any more afterwards."""
    slow = ("--set", "fixed.seconds=0.5")
    process, ended = cluster.begun("launch", "s.yaml", "--on", cluster.address, *slow, cwd=place)
    assert process.stdout is not None
    while "running" not in (line := process.stdout.readline()):
        assert line, "it ended"
    for head in cluster.processes("gcs_server"):
        head.kill()
    ran = ended()
    assert ran.returncode == 1
    assert f"the head of the Ray cluster at {cluster.address} has not answered for 20 s" in ran.stdout
    assert "recorded results are kept, and `sweep resume` continues the sweep" in ran.stdout
    assert "cancelled" in load(place / "results" / "s").trials.state.tolist()
