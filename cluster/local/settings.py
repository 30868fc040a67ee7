"""What Ray reads from the environment when it is imported, wherever it then runs. A user's own values stand."""

from __future__ import annotations

import os

SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a trial without a GPU share does not hide the GPUs of its children
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # Ray's own remarks stay off our terminal; who started it tells what happened
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # the error by which a worker asks to be thrown away is looked at by nobody
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_prestart_worker_first_driver": "0",  # no trial could use those processes, and all would start the later
}


def settle() -> None:
    """Set them; to be called before the first import of Ray."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
