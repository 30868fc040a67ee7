"""The warm parent: imports the trainable and what it needs, and forks a process for each trial.

It is started by exec, never touches a GPU, and has one thread. Python's own `multiprocessing.forkserver` does nearly
this, but its children cannot choose a start method, are not in a process group of their own, and import the main module
of the process that asks for them, which is Ray's.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import psutil

from orchestrator.errors import TrainableError
from orchestrator.worker.fork import child
from orchestrator.worker.fork.foresight import uses_torch
from orchestrator.worker.fork.protocol import Exited, Fork, Surroundings, Verdict
from orchestrator.worker.fork.readiness import cannot_fork
from orchestrator.worker.loading import load, runner
from orchestrator.worker.messages import WorkerSettings
from trainables.process.isolation import set_torch_threads
from trainables.process.linux import adopt_orphans, children, end_with_parent, outlive_parent
from trainables.process.seeding import seed_all
from trainables.trial import Trial

_ENVIRON = dict(os.environ)
"""Before any import changes it."""

ENDING_S = 5.0
"""Seconds for which what is left of trials is ended when the worker has ended."""
LOOK_S = 0.01
"""Seconds between two looks at what is left."""


def main(descriptor: int) -> None:
    """Serve the worker at the other end of a connection until it closes it.

    The worker sends the sweep's settings, hears a Verdict, and sends its Surroundings. Then it asks to Fork a process
    for each trial, hears that it has Exited, and may send the names of modules to import. If the settings come with a
    listening socket, workers connect to that, and the other end only keeps this process alive.
    """
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: None)  # meant for the worker's whole process group; the worker knows
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    settings, path, listening = connection.recv()
    sys.path[:] = path
    if listening is not None:
        with socket.socket(fileno=listening) as listener:
            _serve_all(connection, listener, settings, _prepare(settings))
        return
    try:
        run = _prepare(settings)
    except TrainableError as error:
        connection.send(Verdict(error=str(error)))
        return
    if reason := cannot_fork(str(settings.trainable).partition(":")[0]):
        connection.send(Verdict(cannot_fork=reason))
        return
    _Server(connection, settings, run).serve()


def _prepare(settings: WorkerSettings) -> Callable[[Trial], None]:
    set_torch_threads(1)  # OpenMP's do not fork
    trainable = load(settings)
    run = runner(trainable, settings)
    if uses_torch(trainable):
        with suppress(ImportError):
            importlib.import_module("torch._dynamo")  # the first optimizer imports it, which takes a second
    seed_all(0)  # torch keeps the stack of who seeds the GPUs: the source files that this reads are in memory now
    _freeze()
    return run


def _freeze() -> None:
    """Keep the objects that are there out of later collections, which would copy their memory in each child."""
    gc.collect()
    gc.freeze()


def _serve_all(
    driver: Connection, listener: socket.socket, settings: WorkerSettings, run: Callable[[Trial], None]
) -> None:
    """Fork a server for each worker that connects, until the driver closes its connection."""
    if cannot_fork(""):
        return  # a worker's own parent says why
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for these servers
    while True:
        ready = wait([driver, listener])
        if driver in ready:
            return
        accepted, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            driver.close()
            end_with_parent()
            _Server(Connection(accepted.detach()), settings, run).serve()
            os._exit(0)
        accepted.close()


class _Server:
    """Serves one worker, which runs one trial at a time, and may have a process in reserve for the next."""

    def __init__(self, connection: Connection, settings: WorkerSettings, run: Callable[[Trial], None]) -> None:
        connection.send(Verdict())
        self._connection = connection
        self._settings = settings
        self._run = run
        self._surroundings: Surroundings = connection.recv()
        self._children: set[int] = set()
        self._known = frozenset(sys.modules)
        self._pipe = os.pipe()  # wakes the loop when a process ends

    def serve(self) -> None:
        outlive_parent()  # when the worker has ended, what its trial has started is to be ended first
        adopt_orphans()
        reads, writes = self._pipe
        os.set_blocking(writes, False)
        signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = wait([self._connection, reads])
            try:
                if reads in ready:
                    os.read(reads, 512)
                    self._reap()
                if self._connection in ready:
                    self._answer(self._connection.recv())
            except (EOFError, ConnectionError):  # the worker has ended
                self._end_all()
                return

    def _answer(self, message: Any) -> None:
        if isinstance(message, Fork):
            self._fork()
        else:
            self._learn(message)

    def _fork(self) -> None:
        with socket.socket(fileno=os.dup(self._connection.fileno())) as ours:
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        (theirs,) = descriptors
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for descriptor in (*self._pipe, self._connection.fileno()):
                os.close(descriptor)
            child.main(
                Connection(theirs),
                self._surroundings,
                self._settings,
                self._run,
                known=self._known,
                environ_before=_ENVIRON,
            )
        os.close(theirs)
        self._children.add(pid)

    def _reap(self) -> None:
        """Tell the worker of a child's end, once all that it left is gone as well."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._children:
                self._children.remove(pid)
                _kill_group(pid)
                _kill_with_descendants(children() - self._children)
                self._connection.send(Exited(pid=pid, status=os.waitstatus_to_exitcode(status)))

    def _end_all(self) -> None:
        """End all children, and what is left of them, which becomes this process's own as they end."""
        for pid in self._children:
            _kill_group(pid)
        until = time.monotonic() + ENDING_S
        while (left := children()) and time.monotonic() < until:
            _kill_with_descendants(left)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(LOOK_S)

    def _learn(self, modules: tuple[str, ...]) -> None:
        """Import what a trial has imported, so that the next ones need not. Answers why it is now unfit, or ""."""
        for name in modules:
            with suppress(Exception, SystemExit):  # the trials import it themselves then
                importlib.import_module(name)
        _freeze()
        self._known = frozenset(sys.modules)
        self._connection.send(cannot_fork(", ".join(modules[:3])))


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _kill_with_descendants(pids: set[int]) -> None:
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            for each in [*process.children(recursive=True), process]:
                with suppress(psutil.Error):
                    each.kill()
