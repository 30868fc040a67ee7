"""Nodes for a plan have the GPUs that were asked for, and enough of the rest."""

from __future__ import annotations

import pytest

from cluster.fit import Need, lacking, slots
from cluster.imagined import imagined


@pytest.mark.parametrize(
    ("gpus", "per_node", "sizes"), [(500, 8, [8] * 62 + [4]), (16, 8, [8, 8]), (3, 8, [3]), (3, 1, [1, 1, 1])]
)
def test_the_gpus_are_spread_over_nodes_of_a_size(gpus: int, per_node: int, sizes: list[int]) -> None:
    assert [node.gpus for node in imagined(gpus, [Need(gpus=1)], per_node=per_node)] == sizes


@pytest.mark.parametrize(
    ("need", "fitting"),
    [
        (Need(gpus=1), 20),
        (Need(gpus=0.25, cpus=3), 80),
        (Need(gpus=4, cpus=0, memory=2.0**40), 5),
        (Need(gpus=1, accelerator="A100", custom={"fpga": 2}), 20),
    ],
)
def test_only_gpus_bound_how_many_trials_fit(need: Need, fitting: int) -> None:
    nodes = imagined(20, [need])
    assert slots(nodes, need) == fitting
    assert sum(node.cpus for node in nodes) == fitting * need.cpus


def test_cpus_of_a_node_may_be_fewer() -> None:
    assert slots(imagined(16, [Need(gpus=1)], cpus=2), Need(gpus=1)) == 4


def test_a_trial_larger_than_a_node_does_not_fit() -> None:
    need = Need(gpus=16)
    assert "8 of the 16 GPUs" in lacking(imagined(500, [need]), need)
