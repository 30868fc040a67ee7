"""Environment variables that Ray reads and mostly does not document. A Ray that does not know one ignores it.

docs/ray.md says what each is for.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

RAY = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a trial without GPUs does not hide the GPUs from its child processes
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # Ray's own messages stay off the terminal
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # nobody reads the error by which a worker asks to be discarded
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_prestart_worker_first_driver": "0",  # no trial could use prestarted processes, and they delay the others
}
"""Read when Ray is imported, wherever Ray then runs."""

JOINING = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # errors of joining are reported in our own words
}
"""Read when Ray is imported in a driver that joins a cluster."""

RAY_TUNE = {
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints boxes even when it is silenced
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no JSON, CSV and TensorBoard file for each trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the driver handles signals itself
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # results are packed batches
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # nobody reads Ray Tune's own experiment state
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher hands out no more trials than there are slots
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000000",
}
"""Read by Ray Tune when a run starts."""

RAY_TRAIN = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",  # a trainer takes one report each time it looks, by default every 2 s
}
"""Read by Ray Train when a trainer starts."""


def for_a_session(directory: Path) -> dict[str, str]:
    """Variables of a Ray that keeps its session in a directory of its own.

    Args:
        directory: Its path takes the place of /tmp.
    """
    return {"RAY_TMPDIR": str(directory)}


def for_a_job(stop_s: int) -> dict[str, str]:
    """Variables of a Ray job.

    Args:
        stop_s: Seconds that the job has to stop before Ray kills it.
    """
    return {"RAY_JOB_STOP_WAIT_TIME_S": str(stop_s)}


def set_for_ray(*, joining: bool = False) -> None:
    """Set what Ray reads, before the first import of Ray; values that a user has set stand.

    Args:
        joining: Whether this process is about to join a cluster.
    """
    for name, value in (RAY | JOINING if joining else RAY).items():
        os.environ.setdefault(name, value)
    logging.getLogger("ray.widgets.util").setLevel(logging.WARNING)  # in a notebook the import asks for ipywidgets


def set_for_ray_tune() -> None:
    """Set what Ray Tune reads, before a run; a user's values give way, because screen and records rely on these."""
    os.environ.update(RAY_TUNE)


def set_for_ray_train() -> None:
    """Set what Ray Train reads, in a process that may start a trainer; values that a user has set stand."""
    for name, value in RAY_TRAIN.items():
        os.environ.setdefault(name, value)
