"""Trials that do not all occupy the same, on nodes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cluster.fit import Need, slots
from cluster.inventory import Node
from cluster.packing import held_in_order, room_beside

SHARES = [0.1, 0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0]


@st.composite
def needs(draw: st.DrawFn) -> Need:
    return Need(
        cpus=draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        gpus=draw(st.sampled_from([0.0, *SHARES])),
        memory=draw(st.sampled_from([0.0, 1e9, 5e9])),
        ranks=draw(st.integers(1, 3)),
        strict=draw(st.booleans()),
    )


NODES = st.lists(
    st.builds(
        lambda number, cpus, gpus: Node(name=f"n{number}", cpus=cpus, gpus=gpus, memory=16e9),
        st.integers(0, 9),
        st.integers(1, 8),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=4,
)


@given(NODES, needs())
def test_alike_trials_fit_as_often_as_if_they_are_counted(nodes: list[Node], need: Need) -> None:
    if need.bundle():
        assert room_beside(nodes, [], need) == slots(nodes, need) == held_in_order(nodes, [need])


@given(NODES, st.lists(needs().filter(Need.bundle), min_size=1, max_size=4))
def test_what_runs_at_once_never_exceeds_what_there_is(nodes: list[Node], kinds: list[Need]) -> None:
    held = held_in_order(nodes, kinds)
    running = [kinds[number % len(kinds)] for number in range(held)]
    for name in ("CPU", "GPU", "memory"):
        assert used(running, name) <= sum(node.has[name] for node in nodes) + 1e-6


@given(NODES, st.lists(needs().filter(Need.bundle), max_size=3), needs().filter(Need.bundle))
def test_others_leave_no_more_room_than_there_is(nodes: list[Node], others: list[Need], more: Need) -> None:
    groups = [(need, 1) for need in others]
    room = room_beside(nodes, groups, more)
    assert 0 <= room <= room_beside(nodes, groups[1:], more) or room_beside(nodes, groups[1:], more) == 0
    for name in ("CPU", "GPU", "memory"):
        there = sum(node.has[name] for node in nodes) + 1e-6
        assert room == 0 or used([*others, *[more] * room], name) <= there


def test_shares_leave_whole_gpus_whole() -> None:
    node = Node(name="n", cpus=8, gpus=2)
    share, whole = Need(cpus=0, gpus=0.5), Need(cpus=0, gpus=1)
    assert room_beside([node], [(share, 2)], whole) == 1
    assert room_beside([node], [(share, 3)], whole) == 0
    assert room_beside([node], [(whole, 1)], share) == 2
    assert room_beside([node], [(Need(cpus=0, gpus=0.6), 2)], share) == 0, "a share is of one GPU"
    assert room_beside([node], [(whole, 3)], share) == 0, "already these do not fit"


def test_a_cap_on_gpus_counts_what_each_takes() -> None:
    nodes = [Node(name="n", cpus=64, gpus=8)]
    kinds = [Need(gpus=2), Need(gpus=1)]
    assert held_in_order(nodes, kinds) == 5  # 2 + 1 + 2 + 1 + 2
    assert held_in_order(nodes, kinds, max_gpus=5) == 3


def used(needs: Sequence[Need], name: str) -> float:
    return sum(need.ranks * need.bundle().get(name, 0.0) for need in needs)
