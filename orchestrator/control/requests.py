"""Requests from other terminals to the driver: one small file each, in the sweep's directory.

Everybody who sees the directory can send one, also from another machine. The driver accepts a request by deleting its
file.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.rows import Config
from orchestrator.records.atomic_files import replace_file

Kind = Literal["stop", "halt", "dismiss", "add", "concurrency"]
"""``stop`` ends the sweep, each trial at its next report; ``halt`` ends it at once; ``dismiss`` ends one trial;
``add`` adds a configuration; ``concurrency`` changes the number of trials that run at once."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request."""

    kind: Kind
    trial: int | None = None  # for ``dismiss``
    config: Config | None = None  # for ``add``: a configuration of the space
    concurrency: int | None = None  # for ``concurrency``
    by: str = ""  # the sender: command, host and pid


def send(directory: Path, request: Request) -> Path:
    """Send a request, and return its file, which the driver deletes when it accepts the request.

    Raises:
        RecordsError: The file cannot be written.
    """
    directory.mkdir(exist_ok=True)
    path = directory / f"{time.time_ns()}-{os.getpid()}.json"
    replace_file(path, json.dumps(asdict(request)).encode())
    return path


def take(directory: Path) -> list[Request]:
    """Take all requests, the oldest first; deletes their files, and JSON files that are not valid requests."""
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
        except OSError:  # a request counts only once its file is deleted, so try again next time
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
