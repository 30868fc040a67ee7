"""Whether one trial fits on a node, how many fit at once, and what is said of what is missing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.fit import Need, capacity, lacking, room, slots
from cluster.inventory import CPU, GPU, Node

GIB = 2**30

NODES = (
    Node(name="cpu-only", cpus=32, memory=64 * GIB),
    Node(name="v100", cpus=8, gpus=4, memory=64 * GIB, accelerator="V100"),
    Node(name="a100", cpus=16, gpus=2, memory=128 * GIB, accelerator="A100", custom={"tpu_slice": 1}),
)


@pytest.mark.parametrize(
    ("need", "each"),
    [
        (Need(cpus=4), [8, 2, 4]),
        (Need(cpus=1, gpus=1), [0, 4, 2]),
        (Need(cpus=1, gpus=0.5), [0, 8, 4]),
        (Need(cpus=0, gpus=0.3), [0, 12, 6]),  # three a GPU, and no share of two
        (Need(cpus=1, gpus=4), [0, 1, 0]),
        (Need(cpus=1, memory=32 * GIB), [2, 2, 4]),
        (Need(cpus=1, custom={"tpu_slice": 0.5}), [0, 0, 2]),
        (Need(cpus=1, accelerator="A100"), [0, 0, 16]),
        (Need(cpus=1, gpus=1, accelerator="H100"), [0, 0, 0]),
        (Need(cpus=0), [32, 8, 16]),
    ],
)
def test_how_many_fit(need: Need, each: list[int]) -> None:
    assert [capacity(node, need) for node in NODES] == each
    assert slots(NODES, need) == sum(each)


def test_a_cap_on_gpus() -> None:
    assert slots(NODES, Need(cpus=1, gpus=1), max_gpus=4) == 4
    assert slots(NODES, Need(cpus=1, gpus=0.5), max_gpus=2.2) == 4
    assert slots(NODES, Need(cpus=1), max_gpus=1) == 56, "no trial takes a GPU"


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (Need(cpus=40), "the nearest, cpu-only, has 32 of the 40 CPUs"),
        (Need(cpus=12, gpus=4), "the nearest, v100, has 8 of the 12 CPUs"),
        (Need(cpus=16, gpus=4), "the nearest, a100, has 2 of the 4 GPUs"),
        (Need(gpus=1, accelerator="H100"), "the nearest, a100, has no H100, but A100"),
        (Need(custom={"tpu_slice": 2}), "the nearest, a100, has 1 of the 2 tpu_slice"),
        (Need(memory=200 * GIB), "the nearest, a100, has 128.0 of the 200.0 GiB of memory"),
        (Need(cpus=64, gpus=8), "the nearest, v100, has 8 of the 64 CPUs and 4 of the 8 GPUs"),
    ],
)
def test_the_nearest_node_and_what_it_lacks(need: Need, said: str) -> None:
    assert lacking(NODES, need) == f"no node has room for one trial; {said}"


def test_no_node() -> None:
    assert lacking((), Need()) == "there is no node"


def test_room_is_what_nobody_occupies() -> None:
    node = Node(name="busy", cpus=8, gpus=4, free={CPU: 3.0, GPU: 1.5})
    assert capacity(node, Need(cpus=1, gpus=0.5)) == 8
    assert room(node, Need(cpus=1, gpus=1)) == 1
    assert room(node, Need(cpus=4)) == 0


amounts = st.integers(0, 16)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.9, 1.0, 2.0, 3.0])
needs = st.builds(
    Need, cpus=st.sampled_from([0.0, 0.5, 1.0, 3.0]), gpus=shares, custom=st.just({}) | st.just({"x": 2.0})
)
machines = st.builds(
    Node, name=st.just("node"), cpus=amounts, gpus=amounts, custom=st.builds(lambda x: {"x": float(x)}, amounts)
)


@given(node=machines, need=needs)
def test_what_fits_can_be_placed_one_by_one_and_no_more(node: Node, need: Need) -> None:
    """Against a simulation that places trials as Ray does, GPU by GPU."""
    if not need.bundle():
        return
    left, devices, placed = Counter(node.has), [1.0] * int(node.gpus), 0
    while placed <= 1000:
        wanted = need.bundle()
        if any(left[name] < amount - 1e-9 for name, amount in wanted.items()):
            break
        if 0 < need.gpus < 1:
            device = next((i for i, free in enumerate(devices) if free >= need.gpus - 1e-9), None)
            if device is None:
                break
            devices[device] -= need.gpus
        for name, amount in wanted.items():
            left[name] -= amount
        placed += 1
    assert capacity(node, need) == placed
    assert bool(lacking([node], need)) == (placed == 0)


@given(nodes=st.lists(machines, max_size=4), need=needs, cap=st.none() | st.integers(1, 8))
def test_slots_grow_with_nodes_and_keep_the_cap(nodes: list[Node], need: Need, cap: float | None) -> None:
    count = slots(nodes, need, max_gpus=cap)
    assert slots([*nodes, *nodes[:1]], need, max_gpus=cap) >= count
    if cap is not None:
        assert count * need.gpus <= cap + 1e-6 or not need.gpus
