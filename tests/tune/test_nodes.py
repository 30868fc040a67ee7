"""Sweeps on several nodes with fake GPUs: which trial runs where, and what happens when nodes come and go."""

from __future__ import annotations

import os
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import psutil
import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import placement_group_table, remove_placement_group

from cluster.engine import Present
from cluster.fit import Need
from cluster.ray_private.cluster_state import free_resources
from cluster.ray_private.environment import set_for_ray
from orchestrator.cli.app import main
from orchestrator.driver.launch import launch
from orchestrator.records.load import Sweep, load
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.source import Source
from orchestrator.tune.node_lookup import LOOK_S
from orchestrator.tune.placement_groups import Placement
from tests.cluster.notice import give_notice
from tests.terminal import signal_all

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

GPUS = 4
STEPS = 5
TRIALS = 48

TRAIN = f"""
    import os, time

    def train(config, trial):
        if os.environ.get("BROKEN_NODE"):
            raise RuntimeError("no CUDA device")
        while config.get("waits") and not os.path.exists("go"):
            time.sleep(0.1)
        saved = trial.restore() or {{"step": 0}}
        for step in range(saved["step"] + 1, {STEPS} + 1):
            time.sleep(config.get("step_s", 0.25))
            trial.report(step=step, loss=config["x"] + 1 / step, began_at=saved["step"])
            trial.save(step=step)
            mark = os.environ["MARK"] if 2 <= step < {STEPS} else ""
            (trial.directory / "mark").write_text(mark)
"""
MARKED: dict[str, str] = {}
"""The ids of nodes, by MARK in the environment of their workers."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster: a head without room for trials, and three nodes."""
    set_for_ray()
    head = {"num_cpus": 0, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head, shutdown_at_exit=False)  # nodes join in a thread
    for _ in range(3):
        join(found)
    ray.init(address=found.address, log_to_driver=False, logging_level="error")
    yield found
    ray.shutdown()
    found.shutdown()


def join(cluster: Cluster, **environment: str) -> Any:
    """Add a node with four GPUs, and variables in the environment of its workers."""
    mark = str(len(MARKED))
    environment["MARK"] = mark
    os.environ.update(environment)
    try:
        node = cluster.add_node(num_cpus=GPUS, num_gpus=GPUS)
    finally:
        for name in environment:
            del os.environ[name]
    MARKED[mark] = node.node_id
    return node


def busy(root: Path) -> set[str]:
    """The ids of the nodes where trials are that have saved and are not at their end."""
    return {MARKED[mark] for path in root.glob("trials/*/mark") if (mark := path.read_text())}


@pytest.fixture
def sweep_of(cluster: Cluster, tmp_path: Path) -> Callable[..., Sweep]:
    """Launch a sweep of ``TRAIN`` on the cluster; ``during`` runs in another thread meanwhile."""

    def run(during: Callable[[Path], None] = lambda root: None, **sections: Any) -> Sweep:
        (tmp_path / "train.py").write_text(textwrap.dedent(TRAIN))
        data = {
            "trainable": "train.py:train",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": TRIALS},
            "resources": {"gpu": 1},
            "trial": {"save_every": 0.1},
        } | sections
        spec = parse_spec(data, base=tmp_path, resolve=declared)
        source = Source(spec=spec, text=b"", base=tmp_path, declaration=declared(spec.trained, tmp_path))
        root = tmp_path / "results" / "train"
        beside = threading.Thread(target=during, args=(root,))
        beside.start()
        launch(source, results=tmp_path / "results", engine=Present())
        beside.join()
        return load(root)

    return run


T = TypeVar("T")


def until(look: Callable[[], T]) -> T:
    """Poll until there is a value; returns it."""
    end = time.monotonic() + 300
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found


def completed(root: Path) -> int:
    """The number of completed trials in the records."""
    return int((load(root).trials.state == "completed").sum()) if (root / "trials.parquet").exists() else 0


def spans(sweep: Sweep) -> pd.DataFrame:
    """When and on which GPU of which node each trial's last attempt trained, as the trial noted."""
    rows = sweep.metrics.merge(sweep.trials[["trial", "attempts", "node_id", "gpu_ids"]], on="trial")
    rows = rows[rows.attempt == rows.attempts]
    times = rows.groupby("trial").reported_at.agg(["min", "max"])
    return times.join(sweep.trials.set_index("trial")[["node_id", "gpu_ids"]])


def test_every_gpu_is_used_by_one_trial_at_a_time(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of()
    assert sweep.trials.state.tolist() == ["completed"] * TRIALS
    ran = spans(sweep)
    ran["gpu"] = [f"{node}/{gpu}" for node, (gpu,) in zip(ran.node_id, ran.gpu_ids, strict=True)]
    assert ran.gpu.nunique() == 3 * GPUS
    for _, one in ran.sort_values("min").groupby("gpu"):
        assert (one["min"].iloc[1:].to_numpy() > one["max"].iloc[:-1].to_numpy()).all()


def test_processes_are_spread_unless_they_are_to_be_packed(cluster: Cluster) -> None:
    def idle() -> bool:
        return sum(free.get("GPU", 0) for free in free_resources().values()) == 3 * GPUS

    def nodes_of(pack: bool, avoided: frozenset[str]) -> list[str]:
        request = Placement(avoided=lambda: avoided, pack=pack).request(Need(cpus=1, gpus=1))
        groups = [request.to_placement_group() for _ in range(GPUS)]
        assert all(group.wait(60) for group in groups)
        found = [next(iter(placement_group_table(group)["bundles_to_node_id"].values())) for group in groups]
        for group in groups:
            remove_placement_group(group)
        until(idle)
        return found

    until(idle)
    first, second, third = (node.node_id for node in cluster.worker_nodes)
    assert len(set(nodes_of(False, frozenset()))) == 3
    assert set(nodes_of(False, frozenset({first}))) == {second, third}
    assert len(set(nodes_of(True, frozenset()))) == 1
    assert set(nodes_of(True, frozenset({first, second}))) == {third}


def test_nodes_are_killed_and_join_and_nothing_is_lost(cluster: Cluster, sweep_of: Callable[..., Sweep]) -> None:
    killed: list[str] = []

    def kill(root: Path, gently: bool) -> None:
        """Kill a node whose trials have saved, in such a way that its workers die first."""
        found = until(lambda: busy(root) - {*killed})
        node = next(node for node in cluster.worker_nodes if node.node_id in found)
        killed.append(node.node_id)
        if not gently:
            (raylet,) = node.all_processes["raylet"]
            signal_all(psutil.Process(raylet.process.pid).children(), signal.SIGKILL)
        cluster.remove_node(node, allow_graceful=gently)

    def come_and_go(root: Path) -> None:
        until(lambda: completed(root) >= 6)
        kill(root, gently=False)
        join(cluster)
        until(lambda: completed(root) >= 24)
        kill(root, gently=True)

    sweep = sweep_of(come_and_go, fixed={"step_s": 1.0})
    trials, metrics = sweep.trials, sweep.metrics
    assert trials.state.tolist() == ["completed"] * TRIALS
    assert sorted(zip(metrics.trial, metrics.step, strict=True)) == [
        (trial, step) for trial in range(TRIALS) for step in range(1, STEPS + 1)
    ]
    assert trials.failures.sum() == 0
    assert trials.preemptions.sum() >= 2
    assert (trials.attempts - 1 == trials.preemptions).all()
    assert not trials.node_id[trials.ended_at > trials.ended_at.median()].isin(killed[:1]).any()
    assert trials.objective.min() == pytest.approx((trials["config.x"] + 1 / STEPS).min())
    again = metrics[metrics.attempt > 1]
    assert again.began_at.max() > 0  # from a checkpoint
    lost = sweep.events[sweep.events.event == "retry"]
    assert set(lost.decision) == {"preemption"}
    assert lost.reason.str.startswith("NodeLost: node ").all()
    assert lost.reason.map(lambda reason: any(f"({node[:8]}) is gone" in reason for node in killed)).all()


def test_a_node_is_taken_away_after_notice(cluster: Cluster, sweep_of: Callable[..., Sweep]) -> None:
    """Running trials may end there until the node is gone, but no new trial begins there."""
    node = join(cluster)
    noticed: list[pd.Timestamp] = []

    def take_away(root: Path) -> None:
        until(lambda: node.node_id in busy(root))
        give_notice(cluster.address, node.node_id, within_s=600)
        noticed.append(pd.Timestamp.now("UTC") + pd.Timedelta(seconds=LOOK_S + 1))  # the driver looks now and then
        time.sleep(4)
        cluster.remove_node(node, allow_graceful=False)

    sweep = sweep_of(
        take_away,
        space={"x": {"uniform": [0, 1]}, "step_s": {"uniform": [0, 2]}},
        search={  # of the first wave three trials are short: no node has four of them
            "method": "list",
            "configs": [{"x": number / 24, "step_s": 1.8 if number % 4 else 0.5} for number in range(24)],
        },
        budget={},
    )
    trials = sweep.trials
    assert trials.state.tolist() == ["completed"] * 24
    assert trials.failures.sum() == 0
    assert (trials.attempts - 1 == trials.preemptions).all()
    there = trials[(trials.node_id == node.node_id) | (trials.preemptions > 0)]
    assert not there.empty
    handed_out = sweep.events[sweep.events.event == "pending"].set_index("trial")["at"]
    assert handed_out[there.trial].max() < noticed[0] < handed_out.max()
    again = sweep.metrics[sweep.metrics.attempt > 1]
    assert again.began_at.max() > 0  # from a checkpoint


def test_a_node_that_fails_every_trial_is_set_aside(
    cluster: Cluster, sweep_of: Callable[..., Sweep], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = join(cluster, BROKEN_NODE="1")

    def let_go(root: Path) -> None:
        """Let the trials of the other nodes continue once the broken node has failed often enough."""
        try:
            until(lambda: (root / "trials.parquet").exists() and "node" in set(load(root).events.event))
        finally:
            (tmp_path / "go").touch()

    sweep = sweep_of(let_go, budget={"trials": 12}, resources={"gpu": 2}, fixed={"waits": True})
    assert sweep.trials.state.tolist() == ["completed"] * 12
    assert sweep.trials.failures.sum() == 0
    assert not (sweep.trials.node_id == broken.node_id).any()
    (row,) = sweep.events[sweep.events.event == "node"].itertuples()
    assert broken.node_id[:8] in row.reason
    assert "RuntimeError: no CUDA device" in row.reason
    assert main(["show", "train", "--results", str(tmp_path / "results")]) == 0
    assert row.reason in capfd.readouterr().out
