"""When nodes are set aside, and what happens to the trials that failed there."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.live.progress import Progress
from orchestrator.core import events
from orchestrator.core.node_health import IN_A_ROW, QUICK_S, Node, NodeHealth
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import Failure, State
from orchestrator.core.sweep import Sweep
from tests.core.test_replay import make
from trainables.report import Report

BAD, GOOD, THIRD = Node(id="b" * 56, name="10.0.0.2"), Node(id="c" * 56, name="10.0.0.3"), Node(id="d" * 56, name="n4")
ALL = frozenset({BAD.id, GOOD.id, THIRD.id})
BROKEN = Failure(type="RuntimeError", message="no CUDA device", fingerprint="RuntimeError at train.py:3")


def failed(nodes: NodeHealth, *trials: int, node: Node = BAD, ran_s: float = 1.0, others: Any = ALL) -> tuple[int, ...]:
    """The trials blamed on the node at the last of these failures."""
    found: tuple[int, ...] = ()
    for trial in trials:
        found = nodes.record_failure(node, trial, BROKEN, ran_s=ran_s, others=others)
    return found


def test_three_different_trials_in_a_row() -> None:
    nodes = NodeHealth()
    assert failed(nodes, 4, 5, 4) == ()
    assert failed(nodes, 2) == (2, 4, 5)


def test_slow_failures_do_not_count() -> None:
    assert failed(NodeHealth(), 1, 2, 3, 4, ran_s=QUICK_S) == ()


def test_a_success_resets_the_count() -> None:
    nodes = NodeHealth()
    failed(nodes, 1, 2)
    nodes.record_success(BAD)
    assert failed(nodes, 3, 4) == ()


def test_the_last_node_stays() -> None:
    assert failed(NodeHealth(), 1, 2, 3, others={BAD.id}) == ()
    nodes = NodeHealth()
    nodes.set_aside.update({GOOD.id: "", THIRD.id: ""})
    assert failed(nodes, 1, 2, 3) == ()


def test_the_same_failure_on_another_node_clears_the_node() -> None:
    nodes = NodeHealth()
    failed(nodes, 9, node=GOOD)
    assert failed(nodes, 1, 2, 3) == ()
    nodes.record_success(GOOD)
    assert failed(nodes, 4) == (1, 2, 3, 4)


class Cluster:
    """A sweep on three nodes, one of which fails every trial at once."""

    def __init__(self, trials: int = 8) -> None:
        self.sweep: Sweep = make(trials=trials)
        self.at = 0.0
        self.events: list[Any] = []

    def start(self) -> int:
        self.at += 1
        start = self.sweep.ask(self.at)
        assert start is not None
        self.sweep.on(events.Started(trial=start.trial, at=self.at))
        return start.trial

    def fail(self, trial: int, node: Node = BAD) -> None:
        self.at += 1
        self.sweep.on(events.Failed(trial=trial, at=self.at, failure=BROKEN, node=node, others=ALL - {node.id}))

    def finish(self, trial: int, node: Node = GOOD) -> None:
        self.at += 1
        measured = [Report(step=step, train_s=step, reported_at=self.at, metrics={"loss": 1.0}) for step in (1, 2)]
        self.sweep.on(events.Reported(trial=trial, at=self.at, reports=measured, node=node))
        self.sweep.on(events.Finished(trial=trial, at=self.at, train_s=2))

    def recorded(self) -> list[Any]:
        self.events += self.sweep.take(self.at).events
        return self.events


def test_trials_that_failed_because_of_a_node_are_tried_elsewhere_and_not_charged() -> None:
    cluster = Cluster()
    sweep, progress = cluster.sweep, Progress(slots=lambda: 4)
    for number in [cluster.start() for _ in range(4)]:
        cluster.fail(number)
        progress.look(sweep, cluster.at)
    assert set(sweep.node_health.set_aside) == {BAD.id}
    assert "10.0.0.2 (bbbbbbbb) was set aside: trials 0, 1, 2 failed there" in sweep.node_health.set_aside[BAD.id]
    assert "no CUDA device" in sweep.journal.notes[-1]
    assert [trial.state for trial in sweep.trials] == [State.PENDING] * 4  # the fourth failed on a node set aside
    assert [(trial.failures, trial.preemptions) for trial in sweep.trials] == [(0, 1)] * 4
    assert progress.counts[State.FAILED] == 0
    while not sweep.finished:
        cluster.finish(cluster.start())
    progress.look(sweep, cluster.at)
    assert {trial.state for trial in sweep.trials} == {State.COMPLETED}
    assert progress.counts.total() == len(sweep.trials) == 8


def test_a_node_is_set_aside_before_first_failures_end_the_sweep() -> None:
    cluster = Cluster()
    for _ in range(6):
        cluster.fail(cluster.start())
    assert cluster.sweep.halted is None


def test_a_mistake_of_the_trainable_still_ends_the_sweep() -> None:
    cluster = Cluster(trials=60)
    nodes = [BAD, GOOD, THIRD]
    while cluster.sweep.halted is None:
        cluster.fail(cluster.start(), nodes[len(cluster.sweep.trials) % 3])
    assert len(cluster.sweep.trials) <= 3 * IN_A_ROW
    assert "the first 5 trials all failed" in cluster.sweep.halted


def test_workers_that_cannot_be_set_up_count_and_are_no_false_starts() -> None:
    sweep = make(trials=8)
    starts = [sweep.ask(1.0) for _ in range(IN_A_ROW + 1)]
    for start in starts:
        assert start is not None
        sweep.on(events.NotStarted(trial=start.trial, at=2.0, failure=BROKEN, node=BAD, others=frozenset({GOOD.id})))
    assert set(sweep.node_health.set_aside) == {BAD.id}
    assert [trial.false_starts for trial in sweep.trials] == [1, 1, 0, 0]


def test_a_resume_keeps_nodes_set_aside() -> None:
    cluster = Cluster()
    for number in [cluster.start() for _ in range(3)]:
        cluster.fail(number)
    again = make(trials=8)
    replay(again, Recorded(events=cluster.recorded(), metrics=[]), at=cluster.at)
    assert again.node_health.set_aside == cluster.sweep.node_health.set_aside
    assert [(trial.failures, trial.preemptions) for trial in again.trials] == [(0, 1)] * 3
    assert not again.exhausted
