"""Which GPUs other than NVIDIA's Ray would count on this machine: AMD's, Intel's, Apple's and MetaX's.

Ray has a manager for each maker, and takes one of them for a node. Nothing of it is public, so where Ray has moved its
managers this module answers that there are none, and a plan counts NVIDIA's only.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.errors import ClusterError
from cluster.ray_private.environment import set_for_ray
from cluster.ray_private.names import OTHER_GPUS


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What Ray's manager says."""

    number: int  # plugged in
    visible: tuple[str, ...] | None  # those that the environment leaves to this process; None: it says nothing of them
    accelerator: str  # their type; "": unknown
    by: str  # who counted


def others() -> Counted | None:
    """What Ray counts if it takes another manager than NVIDIA's for this machine, else None.

    Raises:
        ClusterError: The environment says of the GPUs what Ray refuses, and Ray would not start.
    """
    set_for_ray()
    found = OTHER_GPUS.find()
    if found is None:
        return None
    (get_accelerator_manager_for_resource,) = found
    try:
        manager = get_accelerator_manager_for_resource("GPU")
        name = manager.__name__
        if name.startswith("Nvidia"):
            return None
        number = manager.get_current_node_num_accelerators()
        accelerator = manager.get_current_node_accelerator_type() or ""
        visible_ids = manager.get_current_process_visible_accelerator_ids
    except Exception:  # another Ray than was tested, or a maker's library that fails in its own way
        return None
    try:
        visible = visible_ids()
    except RuntimeError as error:  # as for ROCR_VISIBLE_DEVICES in place of HIP_VISIBLE_DEVICES
        raise ClusterError(f"Ray does not start with these GPUs: {error}") from error
    return Counted(
        number=number,
        visible=None if visible is None else tuple(visible),
        accelerator=accelerator,
        by=f"Ray's {name}",
    )
