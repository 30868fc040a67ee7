"""The processes of trainers of Ray Train that trials run: what they import, and the placement groups that they leave.

Ray keeps the placement group of a dead controller until the job ends. What Ray Train has against that, an actor beside
each controller, asks Ray's dashboard whether the controller lives, which an embedded Ray does not have: it would remove
no group, and stay itself. So the driver removes such groups.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from cluster.ray_private.names import ACTOR_NODE, TRAINER_CLEANERS, TRAINER_GROUPS, TRAINER_PATH

TRAINERS = "ray.train.v2.api.data_parallel_trainer"
"""The module of the trainers. Once it is imported, :func:`prepare_trainers` may be called."""


def prepare_trainers(directory: str) -> None:
    """Set what the trainers that this process starts do beside training.

    Args:
        directory: Where their processes find the project's modules, wherever the driver was started.
    """
    _leave_cleaning_to_the_driver()
    if (found := TRAINER_PATH.find()) is None:
        return
    trainers: Any = sys.modules[TRAINERS]
    _, propagated = found
    path = os.pathsep.join(filter(None, [directory, os.environ.get("PYTHONPATH")]))
    trainers.get_env_vars_to_propagate = lambda: {**propagated(), "PYTHONPATH": path}


def _leave_cleaning_to_the_driver() -> None:
    found = TRAINER_CLEANERS.find()
    if found is None or TRAINER_GROUPS.find() is None or ACTOR_NODE.find() is None:
        return
    trainers, _, callback = found

    class NoCleaner(callback):  # type: ignore[misc, valid-type]
        """Made here, so that Ray sends it to the controller by its code: a user's `cluster` may hide this package."""

    trainers.PlacementGroupCleanerCallback = NoCleaner


def give_back_groups_of_dead_trainers() -> None:
    """Remove the placement groups of this job whose controller has died. Takes a millisecond."""
    found, actors = TRAINER_GROUPS.find(), ACTOR_NODE.find()
    if found is None or actors is None:
        return
    import ray
    from ray.util.placement_group import PlacementGroup, remove_placement_group

    (accessor, data), (actor_table,) = found, actors
    job = ray.get_runtime_context().get_job_id()
    for row in accessor().get_placement_group_table():
        group = data.FromString(row)
        if not group.creator_actor_dead or group.state == data.REMOVED or group.creator_job_id.hex() != job:
            continue
        if actor_table(group.creator_actor_id.hex()).get("ActorClassName") == "TrainController":
            remove_placement_group(PlacementGroup(ray.PlacementGroupID(group.placement_group_id)))
