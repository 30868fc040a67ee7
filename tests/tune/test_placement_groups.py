"""What trials occupy, and where their processes are placed; tests/tune/test_nodes.py uses several real nodes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace

import pytest
from ray.util.placement_group import placement_group

from cluster.fit import Need
from cluster.ray_private.placement_request import SPENT
from orchestrator.tune import placement_groups
from orchestrator.tune.placement_groups import Placement

A, B, C = "a" * 56, "b" * 56, "c" * 56
NEED = Need(cpus=1, gpus=0.5, memory=1e9)


def targets(count: int, room: Mapping[str, Mapping[str, float]], monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The nodes of several processes that are requested at once, with packing."""
    monkeypatch.setattr(placement_groups, "free_resources", lambda: {node: dict(has) for node, has in room.items()})
    placement = Placement(avoided=lambda: {C}, pack=True)
    bundle = {"CPU": 1.0, "GPU": 1.0}
    return [placement._options(1, bundle).get("_soft_target_node_id") for _ in range(count)]


def test_requests_for_the_same_are_equal_whatever_is_avoided_meanwhile() -> None:
    avoided: set[str] = set()
    placement = Placement(avoided=lambda: avoided)
    before = placement.request(NEED)
    avoided.add(A)
    again = Placement(avoided=lambda: avoided).request(replace(NEED, memory=10**9))
    assert before == again
    assert hash(before) == hash(again)
    assert before.bundles == [{"CPU": 1.0, "GPU": 0.5, "memory": 1e9}]


@pytest.mark.parametrize("other", [{"gpus": 1.0}, {"cpus": 2.0}, {"memory": 2e9}, {"ranks": 2}])
def test_a_trial_that_occupies_something_else_has_another_request(other: dict[str, float]) -> None:
    placement = Placement(avoided=tuple)
    assert placement.request(replace(NEED, **other)) != placement.request(NEED)  # type: ignore[arg-type]
    assert placement.request(replace(NEED)) is placement.request(NEED)
    assert placement.request(NEED) != SPENT


def test_avoided_nodes_are_left_out_from_the_next_process_on() -> None:
    avoided: set[str] = set()
    placement = Placement(avoided=lambda: avoided)
    assert placement._options(1, {"CPU": 1.0}) == {}
    avoided |= {B, A}
    assert placement._options(1, {"CPU": 1.0}) == {"bundle_label_selector": [{"ray.io/node-id": f"!in({A},{B})"}]}


def test_packing_fills_the_fullest_node_that_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room = {A: {"CPU": 4.0, "GPU": 4.0}, B: {"CPU": 4.0, "GPU": 2.0}, C: {"CPU": 4.0, "GPU": 1.0}}
    assert targets(3, room, monkeypatch) == [B, B, A]
    assert targets(1, {A: {"CPU": 4.0}}, monkeypatch) == [None]  # a resource that is used up is absent


def test_ray_still_takes_what_placement_gives_it() -> None:
    assert {"bundle_label_selector", "_soft_target_node_id"} <= set(inspect.signature(placement_group).parameters)
