"""How many trials may run at once as nodes come and go, and the messages while trials wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.engine import Embedded
from cluster.existing import presence
from cluster.inventory import Node
from cluster.ray_private import cluster_state
from cluster.ray_private.trainer_placement import Trainers
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Failure
from orchestrator.core.sweep import Sweep
from orchestrator.driver import capacity, wait_for_node
from orchestrator.driver.capacity import Capacity
from orchestrator.driver.observer import FREE_RESOURCES
from orchestrator.errors import InfeasibleError
from orchestrator.sites.placement import free_slots
from orchestrator.spec import Spec, parse_spec
from trainables.report import Report

TWO = Node(name="two", id="2", cpus=2)
FOUR = Node(name="four", id="4", cpus=4, gpus=2)


class Engine(Embedded):
    """An engine whose nodes the test sets."""

    now: tuple[Node, ...] = (TWO,)

    def nodes(self) -> tuple[Node, ...]:
        return self.now


def spec(**resources: object) -> Spec:
    return parse_spec(
        {
            "trainable": "linear",
            "space": {"lr": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "budget": {"trials": 9},
            "resources": {"gpu": 0, **resources},
        },
        base=Path(),
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "LOOK_S", 0.01)
    monkeypatch.setattr(wait_for_node, "LOOK_S", 0.01)
    monkeypatch.setattr(Engine, "now", (TWO,))
    monkeypatch.setattr(cluster_state, "draining_nodes", frozenset)


def until(true: Iterator[bool]) -> None:
    """Wait for a condition; pytest's time limit ends a wait in vain."""
    while not next(true):
        time.sleep(0.01)


def test_slots_follow_the_nodes() -> None:
    sweep, engine = build_sweep(spec(), None), Engine()
    follows = Capacity(spec(), engine, sweep)
    with follows.followed():
        assert follows.slots() == 2
        Engine.now = (TWO, FOUR)
        until(follows.slots() == 6 for _ in iter(int, 1))
        sweep.node_health.set_aside["2"] = "three trials failed there"
        assert follows.slots() == 4
        Engine.now = ()
        until(follows.slots() == 0 for _ in iter(int, 1))


def test_a_cap_on_gpus_holds_whatever_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "now", (FOUR, FOUR))
    capped = spec(gpu=1, max_gpus=3)
    assert Capacity(capped, Engine(), build_sweep(capped, None, gpus_per_trial=1.0)).slots() == 3


def test_a_head_that_is_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def nodes(_: Engine) -> tuple[Node, ...]:
        asked.append(1)
        if len(asked) > 1:
            raise ConnectionError
        return (TWO,)

    monkeypatch.setattr(Engine, "nodes", nodes)
    follows = Capacity(spec(), Engine(), build_sweep(spec(), None))
    with follows.followed():
        until(len(asked) > 3 for _ in iter(int, 1))
        assert follows.slots() == 2


def test_waiting_is_reported_once_when_it_begins_and_once_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "waiting", lambda bundles: 1 if bundles == [{"CPU": 1.0}] else 0)
    sweep, now, said = build_sweep(spec(), None), 0.0, []
    follows = Capacity(spec(), Engine(), sweep, lambda: now)

    def tell() -> None:
        nonlocal now
        now += 5.0
        follows.tell(lambda what, why: said.append((what, why)))

    with follows.followed():
        sweep.ask(0.0)
        sweep.ask(0.0)
        sweep.on(events.Started(trial=0, at=0.0))
        tell()
        tell()
        assert said == [], "a process may take a moment to start"
        until((tell() or bool(said)) for _ in iter(int, 1))
        sweep.on(events.Started(trial=1, at=0.0))
        tell()
        tell()
    assert said == [
        (FREE_RESOURCES, "waiting: 1 of 2 trials have no free resources yet"),
        (FREE_RESOURCES, None),
    ]


def test_trainers_that_wait_for_what_the_trials_occupy_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    found, now = Trainers(), 0.0
    said: list[str | None] = []
    monkeypatch.setattr(capacity, "look_after_trainers", lambda: found)
    follows = Capacity(spec(), Engine(), build_sweep(spec(), None), lambda: now)

    def tell(trainers: Trainers, seconds: float) -> None:
        nonlocal found, now
        found, now = trainers, now + seconds
        follows._look_after_trainers()
        follows.tell(lambda what, why: said.append(why))

    waits = Trainers(waiting=2, need="4 × (1 GPU)")
    tell(waits, 3.0)
    tell(waits, 3.0)
    assert not said, "a moment is no hint"
    tell(waits, 30.0)
    tell(Trainers(), 30.0)  # between two tries to start
    assert len(said) == 1
    assert str(said[0]).startswith("waiting: a trainer of Ray Train finds no room for 4 × (1 GPU) beside the trials")
    tell(Trainers(waiting=1, placed=1, need="4 × (1 GPU)"), 3.0)
    assert said[1:] == [None]
    tell(waits, 3.0)
    assert len(said) == 2, "it waits anew"


def test_a_sweep_without_nodes_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str | None] = []
    monkeypatch.setattr(Engine, "now", ())
    Capacity(spec(), Engine(), build_sweep(spec(), None)).tell(lambda what, why: said.append(why))
    assert said == ["waiting: no node has room for a trial"]


BY_SIZE = {
    "space": {"size": {"choice": [1, 2, 4]}, "x": {"int": [0, 9]}},
    "search": {"method": "list", "configs": [{"size": size, "x": x} for x, size in enumerate((2, 1, 4, 1, 1))]},
    "resources": {"gpu": "size", "cpu": 0},
}


def started(sweep: Sweep, follows: Capacity) -> list[int]:
    """Start trials as long as there are slots; the numbers of those that started."""
    numbers = []
    while sweep.live < follows.slots() and (start := sweep.ask(0.0)) is not None:
        numbers.append(start.trial)
    return numbers


def test_trials_of_different_sizes_fill_the_gpus_and_large_ones_get_their_turn() -> None:
    Engine.now = (Node(name="n", id="n", cpus=8, gpus=4),)
    parsed = parse_spec({**spec().to_plain(), **BY_SIZE, "budget": {}}, base=Path())
    sweep = build_sweep(parsed, None, gpus_per_trial=1.8)
    follows = Capacity(parsed, Engine(), sweep)
    assert started(sweep, follows) == [0, 1, 2], "2 and 1 GPUs; trial 2 needs 4 and waits, and no further one starts"
    assert [trial.gpus for trial in sweep.trials] == [2, 1, 4]
    for number in (0, 1):
        sweep.on(events.Started(trial=number, at=0.0))
        sweep.on(
            events.Reported(
                trial=number, at=0.0, reports=[Report(step=1, metrics={"loss": 1}, train_s=10.0, reported_at=0.0)]
            )
        )
        assert started(sweep, follows) == []
        sweep.on(events.Finished(trial=number, at=0.0, train_s=10.0))
    assert sweep.usage.gpu_s == 10 * 2 + 10 * 1
    assert started(sweep, follows) == [], "trial 2 has all GPUs"
    sweep.on(events.Started(trial=2, at=0.0))
    failure = Failure(type="ValueError", message="", fingerprint="")
    sweep.on(events.Failed(trial=2, at=0.0, failure=failure, train_s=0.0))
    assert started(sweep, follows) == [3, 4]


def test_a_cap_on_gpus_holds_for_the_largest_trial() -> None:
    Engine.now = (Node(name="n", id="n", cpus=8, gpus=8),)
    resources = {**BY_SIZE["resources"], "max_gpus": 5}  # type: ignore[dict-item]
    parsed = parse_spec({**spec().to_plain(), **BY_SIZE, "budget": {}, "resources": resources}, base=Path())
    sweep = build_sweep(parsed, None, gpus_per_trial=1.8)
    assert started(sweep, Capacity(parsed, Engine(), sweep)) == [0], "beside 2 GPUs, one with 4 would be too many"


@pytest.mark.parametrize(
    ("nodes", "resources", "told"),
    [
        ((FOUR,), {"gpu": "size"}, r"has 2 of the 4 GPUs, which a trial with size = 4 needs"),
        ((FOUR,), {"memory": "1e9 * size"}, r"GiB of memory, which a trial with size = \d needs"),
        ((FOUR, FOUR), {"gpu": "size / 2", "max_gpus": 1}, r"one trial needs 2 GPUs, but resources.max_gpus allows 1"),
    ],
)
def test_the_largest_trial_has_to_fit(nodes: tuple[Node, ...], resources: dict[str, object], told: str) -> None:
    parsed = parse_spec({**spec().to_plain(), **BY_SIZE, "budget": {}, "resources": resources}, base=Path())
    with pytest.raises(InfeasibleError, match=told):
        free_slots(parsed, nodes)
