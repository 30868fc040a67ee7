"""A worker's connection to its warm parent, which forks the processes of its trials."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from orchestrator.errors import TrainableError
from orchestrator.own_packages import ROOT
from orchestrator.worker.fork.protocol import Exited, Fork, Surroundings, Verdict, pair
from orchestrator.worker.messages import WorkerSettings

_START = (
    "import sys; sys.path.insert(0, sys.argv[2]); from orchestrator.worker.fork import server;"
    " server.main(int(sys.argv[1]))"
)
"""Not `-m`: the processes that a trial spawns would import the main module."""

LOOK_ONLY = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
"""Lets `torch.cuda.is_available()`, which many modules call at import, look for a GPU without initialising CUDA."""


class CannotFork(RuntimeError):
    """A trial of this sweep cannot run in a forked process; the message says why."""


class WarmParentDied(RuntimeError):
    """The warm parent ended, and with it the process that it had forked."""


class WarmParent:
    """Forks processes for the trials of one worker."""

    def __init__(self, settings: WorkerSettings, surroundings: Surroundings) -> None:
        """Start the parent, or get one from the parent that the driver has warmed up on this machine.

        Raises:
            TrainableError: The trainable cannot be imported.
            CannotFork: What the trainable imports cannot be forked.
            WarmParentDied: The parent ended during its imports.
        """
        connection, process = _connected(settings.warmed) if settings.warmed else None, None
        if connection is None:
            connection, process = start(settings)
        self._connection = connection
        self._process = process
        try:
            if process is not None:
                _ready(connection)
            connection.send(surroundings)
        except BaseException:
            self.close()
            raise

    def fork(self) -> Connection:
        """Ask for a process; returns the connection to it, over which it will say that it is Forked.

        Raises:
            WarmParentDied: The parent has ended.
        """
        ours, theirs = pair()
        with theirs:
            try:
                self._connection.send(Fork())
                with socket.socket(fileno=os.dup(self._connection.fileno())) as shared:
                    socket.send_fds(shared, [b"."], [theirs.fileno()])
            except OSError:
                ours.close()
                raise WarmParentDied from None
        return ours

    def wait(self, pid: int, seconds: float | None) -> int | None:
        """Wait for the end of a process; returns its exit status, or minus a signal; None if it still runs.

        Args:
            pid: Of the process.
            seconds: How long to wait; None: as long as it takes.

        Raises:
            WarmParentDied: The parent has ended.
        """
        try:
            while self._connection.poll(seconds):
                exited = self._connection.recv()
                assert isinstance(exited, Exited)
                if exited.pid == pid:  # the other one was in reserve
                    return exited.status
        except (EOFError, OSError):
            raise WarmParentDied from None
        return None

    def learn(self, modules: tuple[str, ...]) -> str:
        """Have the parent import modules that trials import; returns why it must not be used any more, or "".

        Raises:
            WarmParentDied: The parent has ended.
        """
        try:
            self._connection.send(modules)
            while isinstance(answer := self._connection.recv(), Exited):
                pass  # of a process that was in reserve
        except (EOFError, OSError):
            raise WarmParentDied from None
        return str(answer)

    def close(self) -> None:
        """End the parent, and the processes that it has forked."""
        self._connection.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self._process.kill()
            self._process.wait()


def start(
    settings: WorkerSettings, *, listener: socket.socket | None = None, quiet: bool = False
) -> tuple[Connection, subprocess.Popen[bytes]]:
    """Start a warm parent; returns the connection to it, and its process.

    Args:
        settings: The sweep's.
        listener: Where the parent is to serve workers; None: it serves the other end of the connection.
        quiet: Whether to drop what it prints.
    """
    ours, theirs = pair()
    with theirs:
        output = subprocess.DEVNULL if quiet else None
        listening = None if listener is None else listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs.fileno()), str(ROOT)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[theirs.fileno()] + ([] if listening is None else [listening]),
            env={**os.environ, **LOOK_ONLY, "OMP_NUM_THREADS": str(settings.threads)},
            start_new_session=quiet,
        )
    ours.send((settings, list(sys.path), listening))
    return ours, process


def _ready(connection: Connection) -> None:
    """Wait until a parent has imported the trainable; errors as of WarmParent."""
    try:
        verdict = connection.recv()
    except (EOFError, OSError):
        raise WarmParentDied from None
    assert isinstance(verdict, Verdict)
    if verdict.error:
        raise TrainableError(verdict.error)
    if verdict.cannot_fork:
        raise CannotFork(verdict.cannot_fork)


def _connected(address: str) -> Connection | None:
    """A connection to the parent that the driver has warmed up; None if it does not run here, or cannot serve."""
    with suppress(OSError, WarmParentDied), socket.socket(socket.AF_UNIX) as connecting:
        connecting.connect(address)
        connection = Connection(connecting.detach())
        _ready(connection)
        return connection
    return None
