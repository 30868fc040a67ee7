"""What several ranks need, and where they fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.fit import Need, capacity, lacking, ranks, slots
from cluster.inventory import Node

GPUS = st.integers(0, 9)


def nodes_of(gpus: list[int]) -> list[Node]:
    return [Node(name=f"n{at}", cpus=64, gpus=count) for at, count in enumerate(gpus)]


@given(st.lists(GPUS, min_size=1, max_size=5), st.integers(1, 6), st.integers(1, 3), st.booleans())
def test_trials_of_several_ranks_fill_the_nodes(gpus: list[int], number: int, each: int, strict: bool) -> None:
    nodes, need = nodes_of(gpus), Need(ranks=number, gpus=each, strict=strict)
    fit = slots(nodes, need)
    held = sum(ranks(node, need) for node in nodes)
    assert fit * need.all_gpus <= sum(gpus)
    assert fit == (sum(capacity(node, need) for node in nodes) if strict else held // number)
    assert fit <= slots(nodes, Need(ranks=number, gpus=each))  # strict allows no more
    assert bool(lacking(nodes, need)) is (fit == 0)


def test_a_limit_on_gpus_counts_all_ranks() -> None:
    assert slots(nodes_of([8, 8]), Need(ranks=4, gpus=1), max_gpus=11) == 2


@pytest.mark.parametrize(
    ("gpus", "need", "told"),
    [
        ([2, 1], Need(ranks=4, gpus=1), "the nodes have room for 3 of the 4 ranks of one trial"),
        (
            [2, 2],
            Need(ranks=4, gpus=1, strict=True),
            "no node has room for the 4 ranks of one trial; n0 has room for 2",
        ),
        ([1], Need(ranks=4, gpus=2), "no node has room for a rank of one trial; the nearest, n0, has 1 of the 2 GPUs"),
    ],
)
def test_what_is_lacking_is_told(gpus: list[int], need: Need, told: str) -> None:
    assert lacking(nodes_of(gpus), need) == told
    assert not lacking(nodes_of([8]), need)
