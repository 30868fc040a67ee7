"""Where Ray's workers look for our packages: in our directory first, not in a folder of the user's with the same name.

Ray puts the driver's working directory, which is the user's project, before everything else on ``sys.path`` of workers,
and imports there what it unpickles, ours included.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cluster.ray_private.names import OUR_PACKAGES_FIRST

ROOT = str(Path(__file__).resolve().parents[2])
"""The directory of our packages. Workers remove it from the front again once ``orchestrator`` is imported."""


class _InFrontOfOurs(list[str]):
    """Ray inserts each of the directories at the front, one after the other: the last is searched first."""

    def extend(self, more: Iterable[str]) -> None:
        self[:0] = more


def our_packages_first() -> dict[str, Any]:
    """Arguments of ``ray.init``."""
    found = OUR_PACKAGES_FIRST.find()
    if found is None:
        return {}
    from ray.job_config import JobConfig

    return {"job_config": JobConfig(_py_driver_sys_path=_InFrontOfOurs([ROOT]))}
