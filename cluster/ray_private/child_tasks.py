"""Lets Ray tasks and actors that a trial starts run wherever a CPU is free.

Ray Tune keeps them in the trial's placement group, all of which the trial itself occupies: they would wait for ever.
"""

from __future__ import annotations

from cluster.ray_private.names import TASKS_OF_TRIALS


def tasks_run_beside() -> None:
    """Keep what this process starts out of its placement group; a placement that is asked for stands."""
    if (found := TASKS_OF_TRIALS.find()) is not None:
        worker, _ = found
        worker.should_capture_child_tasks_in_placement_group = property(lambda _: False)
