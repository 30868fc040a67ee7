"""Requests from other terminals to the driver: one small file each, in the sweep's directory.

Whoever may write there can send one, also from another machine. The driver accepts a request by deleting its file. What
is no request is set aside: no file in there can hold the driver up, end the sweep, or make it do what was not asked.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.rows import Config
from orchestrator.errors import RecordsError
from orchestrator.records.atomic_files import replace_file
from orchestrator.records.plain_files import parse_as

Kind = Literal["stop", "halt", "dismiss", "add", "concurrency"]
"""``stop`` ends the sweep, each trial at its next report; ``halt`` ends it at once; ``dismiss`` ends one trial;
``add`` adds a configuration; ``concurrency`` changes the number of trials that run at once."""

MOST_BYTES = 2**16
"""Of a request."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request."""

    kind: Kind
    trial: int | None = None  # for ``dismiss``
    config: Config | None = None  # for ``add``: a configuration of the space
    concurrency: int | None = None  # for ``concurrency``: at least 1
    by: str = ""  # the sender: command, host and pid


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A file that is no request, and was set aside."""

    name: str
    why: str


def send(directory: Path, request: Request) -> Path:
    """Send a request, and return its file, which the driver deletes when it accepts the request.

    Raises:
        RecordsError: The file cannot be written.
    """
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise RecordsError(f"cannot write {directory}: {error.strerror or error}") from error
    path = directory / f"{time.time_ns()}-{os.getpid()}.json"
    replace_file(path, json.dumps(asdict(request)).encode())
    return path


def set_aside(path: Path) -> Path:
    """Where a file that is no request is moved to."""
    return path.with_name(f".{path.name}.refused")


def take(directory: Path) -> Sequence[Request | Refused]:
    """Take all requests, the oldest first: deletes their files, and sets others aside.

    Nothing is read, removed or renamed through a symbolic link.

    Raises:
        OSError: The directory cannot be read.
    """
    try:
        opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        names = sorted(name for name in os.listdir(opened) if not name.startswith(".") and name.endswith(".json"))
        found = (_taken(opened, name) for name in names)
        return [each for each in found if each is not None]
    finally:
        os.close(opened)


def _taken(directory: int, name: str) -> Request | Refused | None:
    """The request in a file; None if the file is still there, and is to be looked at again."""
    try:
        try:
            request = _read(directory, name)
        except ValueError as error:
            os.rename(name, set_aside(Path(name)).name, src_dir_fd=directory, dst_dir_fd=directory)
            return Refused(name=name.encode(errors="backslashreplace").decode(), why=str(error))
        os.unlink(name, dir_fd=directory)
    except OSError:  # a request counts only once its file is deleted
        return None
    return request


def _read(directory: int, name: str) -> Request:
    """Read a request.

    Raises:
        ValueError: It is none; the text says why.
        OSError: It cannot be read.
    """
    if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        raise ValueError("it is no regular file")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):  # it was exchanged in between
            raise ValueError("it is no regular file")
        if not _allowed(status, os.fstat(directory)):
            raise ValueError(f"it belongs to another user, {status.st_uid}")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    if unknown := parse_as(dict[str, Any], content).keys() - Request.__dataclass_fields__.keys():
        raise ValueError(f"unknown key {min(unknown)!r}")
    request: Request = parse_as(Request, content)
    if request.kind == "dismiss" and (request.trial is None or request.trial < 0):
        raise ValueError("trial: a number from 0 is needed")
    if request.kind == "add" and request.config is None:
        raise ValueError("config: a configuration is needed")
    if request.kind == "concurrency" and (request.concurrency is None or request.concurrency < 1):
        raise ValueError("concurrency: a number from 1 is needed")
    return request


def _allowed(file: os.stat_result, directory: os.stat_result) -> bool:
    """Whether a file is of the driver's user, of root, or of the group that may write into this directory alone."""
    if file.st_uid in (os.geteuid(), 0):
        return True
    for_group = bool(directory.st_mode & stat.S_IWGRP) and not directory.st_mode & stat.S_IWOTH
    return for_group and file.st_gid == directory.st_gid
