"""How Ray's daemons are named, and how `ray start` is run and says that it is up.

Where Ray changes one of these, the daemons are not watched or not cleaned up after; a sweep runs all the same.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import psutil

from cluster.ray_private.names import START_COMMAND

VITAL = ("gcs_server", "raylet")
"""The daemons without which a driver cannot go on, as the system names them."""

STARTED = "Ray runtime started"
"""What `ray start` prints once its node has joined."""


def vital_daemons() -> list[tuple[str, psutil.Process]]:
    """The daemons that an embedded Ray has started in this process and cannot do without, by name."""
    return [(child.name(), child) for child in psutil.Process().children() if child.name() in VITAL]


def start_command() -> list[str]:
    """`ray start` with this Python's own Ray; without its module, the `ray` command beside this Python or on PATH."""
    if START_COMMAND.find() is not None:
        return [sys.executable, "-m", "ray.scripts.scripts", "start"]
    beside = Path(sys.executable).with_name("ray")
    return [str(beside) if beside.exists() else shutil.which("ray") or "ray", "start"]
