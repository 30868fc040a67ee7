"""The processes of trainers of Ray Train that trials run: what they import, and the placement groups that they leave.

Ray keeps the placement group of a dead controller until the job ends. What Ray Train has against that, an actor beside
each controller, asks Ray's dashboard whether the controller lives, which an embedded Ray does not have: it would remove
no group, and stay itself. So the driver removes such groups.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from cluster.ray_private.names import ACTOR_NODE, TRAINER_CLEANERS, TRAINER_GROUPS, TRAINER_PATH

TRAINERS = "ray.train.v2.api.data_parallel_trainer"
"""The module of the trainers. Once it is imported, :func:`prepare_trainers` may be called."""

CONTROLLER = "TrainController"
"""The class of the actors that ask for the placement groups of trainers."""


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


@dataclass(frozen=True, kw_only=True)
class Trainers:
    """The trainers of a job that have a placement group, or wait for one."""

    placed: int = 0
    waiting: int = 0
    need: str = ""  # what one that waits asks for, in words


def look_after_trainers() -> Trainers:
    """Give back the placement groups whose controller has died, and count the others; none where Ray cannot be asked.

    Takes a millisecond, and starts no Ray, which asking for the job's id would.
    """
    import ray

    found, actors = TRAINER_GROUPS.find(), ACTOR_NODE.find()
    if found is None or actors is None or not ray.is_initialized():
        return Trainers()
    from ray.util.placement_group import PlacementGroup, remove_placement_group

    (accessor, data), (actor_table,) = found, actors
    rows = accessor().get_placement_group_table()
    job = ray.get_runtime_context().get_job_id() if rows else ""
    placed, waiting = 0, []
    for row in rows:
        group = data.FromString(row)
        creator = group.creator_actor_id.hex()
        if group.state == data.REMOVED or not creator or group.creator_job_id.hex() != job:
            continue
        if actor_table(creator).get("ActorClassName") != CONTROLLER:
            continue
        if group.creator_actor_dead:
            remove_placement_group(PlacementGroup(ray.PlacementGroupID(group.placement_group_id)))
        elif group.state == data.PENDING:
            waiting.append(_in_words([dict(bundle.unit_resources) for bundle in group.bundles]))
        else:
            placed += 1
    return Trainers(placed=placed, waiting=len(waiting), need=waiting[0] if waiting else "")


def _in_words(bundles: list[dict[str, float]]) -> str:
    """The bundles of a trainer, which are alike: ``2 × (1 CPU, 1 GPU)``."""
    amounts = ", ".join(f"{amount:g} {name}" for name, amount in bundles[0].items())
    return f"{len(bundles)} × ({amounts})"
