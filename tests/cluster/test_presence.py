"""What the head knows of its nodes, asked of a real one: it is partly private to Ray."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import ray
from ray import NodeID
from ray.cluster_utils import Cluster
from ray.exceptions import RayActorError

from cluster.existing import presence
from cluster.ray_private import cluster_state
from tests.cluster.notice import give_notice

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    found.add_node(num_cpus=1, num_gpus=2)
    ray.init(address=found.address, log_to_driver=False, logging_level="error")
    yield found
    ray.shutdown()
    found.shutdown()


@ray.remote(num_gpus=1)
class Worker:
    def die(self) -> None:
        os._exit(1)


def test_what_is_free_and_where_a_worker_has_died(cluster: Cluster) -> None:
    (node,) = cluster.worker_nodes
    assert cluster_state.free_resources()[node.node_id]["GPU"] == 2
    worker = Worker.remote()
    with pytest.raises(RayActorError) as caught:
        ray.get(worker.die.remote())
    found = cluster_state.node_of_actor(caught.value.actor_id)
    assert found is not None
    assert found[0] == node.node_id
    assert presence.answers(node.node_id)
    assert not presence.answers(NodeID.from_random().hex())


def test_a_node_that_is_to_be_taken_away_is_leaving(cluster: Cluster) -> None:
    (node,) = cluster.worker_nodes
    assert cluster_state.draining_nodes() == frozenset()
    keeps_it_busy = Worker.remote()
    ray.get(keeps_it_busy.__ray_ready__.remote())
    give_notice(cluster.address, node.node_id, within_s=600)
    assert cluster_state.draining_nodes() == {node.node_id}
    assert presence.answers(node.node_id)
    cluster.remove_node(node, allow_graceful=False)
    assert not presence.answers(node.node_id)  # at once, though the head still believes it alive
