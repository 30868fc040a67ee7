"""Ray embedded in this process: it lives and ends with us."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.environment import environment
from cluster.gpus import count
from cluster.inventory import this_machine
from cluster.local.home import ensure_home
from cluster.local.reaper import reap, reaped
from cluster.local.scratch import scratch
from cluster.local.start_failure import RayStartError, explained
from cluster.local.watch import LastWords, RayEndedError, vital_process_ended, watched
from cluster.ray_private.embedded_ray import all_memory, shut_down
from cluster.ray_private.environment import for_a_session, set_for_ray
from cluster.ray_private.loopback_only import loopback_only
from cluster.ray_private.minimal_daemons import minimal_daemons
from cluster.ray_private.search_path import our_packages_first
from cluster.ray_private.sigterm_isolation import sigterm_isolation
from cluster.token import keep_private


@contextmanager
def embedded(*, cpus: float | None = None, gpus: float | None = None, stuck: LastWords | None = None) -> Iterator[None]:
    """Start a Ray cluster of one node in this process, and end it afterwards.

    Args:
        cpus: How many the node has; None: all that this process may use.
        gpus: How many the node has (on a machine without, they are pretended: only placement sees them); None: all.
        stuck: As for ``watch.watched``.

    Raises:
        NoScratchError: There is no directory for temporary files.
        RayStartError: Ray does not start.
        RayEndedError: Ray ended, or was ended, while this was open.
    """
    set_for_ray()
    ensure_home()
    import ray

    keep_private()  # a token that Ray makes comes into a directory that is closed already
    node = this_machine(cpus=cpus, gpus=gpus)
    with scratch(kept_after=(RayStartError, RayEndedError)) as directory, reaped(directory):
        settings = {**(count.gpus().settings if node.gpus else {}), **for_a_session(directory.path)}
        with (
            explained(directory.path),
            sigterm_isolation(),
            minimal_daemons(),
            loopback_only(),
            environment(settings),  # Ray's processes inherit them, and so do the workers
        ):
            ray.init(
                address="local",  # a stale file of an earlier run would make a plain init() join a dead cluster
                num_cpus=int(node.cpus),
                num_gpus=int(node.gpus),
                **all_memory(node.memory),  # a plan counts on all of it
                **our_packages_first(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        keep_private()
        try:
            with watched(vital_process_ended(), stuck=stuck):
                yield
        finally:
            shut_down(lambda: reap("", directory.path))  # SIGTERM, by which Ray ends its processes, is kept from them
