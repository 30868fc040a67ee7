"""What another terminal asks of the driver: a small file a request, in the sweep's directory.

So that whoever sees the directory can ask, also from another machine. The driver takes a request by removing its file.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.rows import Config
from orchestrator.records.disk import replace_file

Kind = Literal["stop", "halt", "dismiss", "add", "concurrency"]
"""``stop`` ends the sweep, each trial at its next report; ``halt`` ends it at once; ``dismiss`` ends one trial;
``add`` wants a configuration tried; ``concurrency`` another number of trials at once."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing asked."""

    kind: Kind
    trial: int | None = None  # of ``dismiss``
    config: Config | None = None  # of ``add``: one of the space
    concurrency: int | None = None
    by: str = ""  # who asked: command, host and pid


def send(directory: Path, request: Request) -> Path:
    """Ask; returns the request's file, which is gone once the driver has taken it.

    Raises:
        RecordsError: It cannot be written there.
    """
    directory.mkdir(exist_ok=True)
    path = directory / f"{time.time_ns()}-{os.getpid()}.json"
    replace_file(path, json.dumps(asdict(request)).encode())
    return path


def take(directory: Path) -> list[Request]:
    """All requests there are, the oldest first; what is none is removed, too."""
    requests = []
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    for name in names:
        path = directory / name
        if name.startswith(".") or path.suffix != ".json":
            continue
        request = _read(path)
        try:
            path.unlink(missing_ok=True)
        except OSError:  # it is taken when it is gone: the disk will have it some day
            continue
        if request is not None:
            requests.append(request)
    return requests


def _read(path: Path) -> Request | None:
    try:
        content: Any = json.loads(path.read_bytes())
        return Request(**content)
    except (OSError, ValueError, TypeError):
        return None
