"""What a worker, its warm parent and a trial's process say to each other, through sockets of this machine.

A connection carries pickled tuples and bytes; all ends run the same code, and nobody else can connect: the sockets have
no name, but for that of a parent that is warmed up ahead, which lies in a directory of the user alone.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from orchestrator.core.node_health import Node

COLLECT = b"collect"
END = b"end"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a warm parent can serve: both empty if it can."""

    error: str = ""  # why the trainable cannot be imported
    cannot_fork: str = ""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a trial's process takes over from its worker."""

    environ: Mapping[str, str]
    node: Node
    gpu_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Asks the warm parent for a process; its end of a connection to the worker follows as a file descriptor."""


@dataclass(frozen=True, kw_only=True)
class Forked:
    """The first words of a process: it waits for the ``Start`` of its trial, and for its Part in it."""

    pid: int


@dataclass(frozen=True, kw_only=True)
class Exited:
    """The warm parent tells that a process has ended, and so has everything that it left behind."""

    pid: int
    status: int  # an exit status, or minus a signal


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What happened in a trial's process since the last time that the worker asked."""

    update: bytes  # of a WorkerUpdate, to be passed on unchanged
    over: bool  # the trial has ended by itself: the process exits now
    used_ray: bool  # whether the trainable tried to use Ray


@dataclass(frozen=True, kw_only=True)
class Closing:
    """The last words of a trial's process, before it exits."""

    imported: tuple[str, ...]  # modules that it has imported, and its parent has not


def pair() -> tuple[Connection, socket.socket]:
    """A new connection: our end, and the end to hand to another process."""
    ours, theirs = socket.socketpair()
    return Connection(ours.detach()), theirs
