"""A worker's connection to its warm parent, which forks the processes of its trials."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from orchestrator.errors import TrainableError
from orchestrator.own_packages import ROOT
from orchestrator.worker.fork.protocol import Exited, Forked, Order, Surroundings, Verdict, pair
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
    """Forks processes for the trials of one worker, one at a time."""

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
        self._pid = 0
        try:
            if process is not None:
                _ready(connection)
            connection.send(surroundings)
        except BaseException:
            self.close()
            raise

    def fork(self, order: Order) -> Connection:
        """Start a trial in a process of its own; returns the connection to it.

        Raises:
            WarmParentDied: The parent has ended.
        """
        ours, theirs = pair()
        with theirs:
            try:
                self._connection.send(order)
                with socket.socket(fileno=os.dup(self._connection.fileno())) as shared:
                    socket.send_fds(shared, [b"."], [theirs.fileno()])
                forked = self._connection.recv()
            except (EOFError, OSError):
                raise WarmParentDied from None
        assert isinstance(forked, Forked)
        self._pid = forked.pid
        return ours

    def wait(self, seconds: float | None) -> int | None:
        """Wait for the end of the process; returns its exit status, or minus a signal; None if it still runs.

        Args:
            seconds: How long to wait; None: as long as it takes.

        Raises:
            WarmParentDied: The parent has ended.
        """
        try:
            if not self._connection.poll(seconds):
                return None
            exited = self._connection.recv()
        except (EOFError, OSError):
            raise WarmParentDied from None
        assert isinstance(exited, Exited)
        self._pid = 0
        return exited.status

    def kill(self) -> None:
        """Kill the process, and what is in its process group."""
        if self._pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def learn(self, modules: tuple[str, ...]) -> str:
        """Have the parent import modules that trials import; returns why it must not be used any more, or "".

        Raises:
            WarmParentDied: The parent has ended.
        """
        try:
            self._connection.send(modules)
            return str(self._connection.recv())
        except (EOFError, OSError):
            raise WarmParentDied from None

    def close(self) -> None:
        """End the parent, and the process if there is one."""
        self.kill()
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
