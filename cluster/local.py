"""Ray embedded in this process: it lives and ends with us."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.inventory import this_machine
from cluster.reaper import reaped

SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a trial without a GPU share does not hide the GPUs of its children
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # Ray's own remarks stay off our terminal; who started it tells what happened
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # the error by which a worker asks to be thrown away is looked at by nobody
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What Ray reads when it is imported; a user's own values stand."""


@contextmanager
def embedded(*, cpus: float | None = None, gpus: float | None = None) -> Iterator[None]:
    """Start a Ray cluster of one node in this process, and end it afterwards.

    Args:
        cpus: How many the node has; None: all that this process may use.
        gpus: How many the node has (on a machine without, they are pretended: only placement sees them); None: all.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    node = this_machine(cpus=cpus, gpus=gpus)
    with reaped() as reaper:
        context = ray.init(
            address="local",  # a stale file of an earlier run would make a plain init() join a dead cluster
            num_cpus=int(node.cpus),
            num_gpus=int(node.gpus),
            _memory=int(node.memory),  # what was counted on; left alone, Ray keeps a part of it back
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        reaper.watch(context.address_info["session_dir"])
        try:
            yield
        finally:
            ray.shutdown()
