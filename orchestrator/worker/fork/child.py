"""A trial's process: trains in the main thread, while another thread answers the worker."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from cluster.ray_private.sigterm_isolation import ignore_sigterm
from orchestrator.core.events import Start
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.fork.protocol import COLLECT, Closing, Forked, Packed, Surroundings
from orchestrator.worker.fork.refusing_ray import refuse_ray
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.ranks.attempts import attempt_of
from orchestrator.worker.ranks.part import Part
from trainables.process.isolation import OwnProcess
from trainables.process.linux import end_with_parent
from trainables.process.seeding import seed_all
from trainables.trial import Trial

_STANDARD_LIBRARY = os.path.dirname(os.__file__)


def main(
    connection: Connection,
    surroundings: Surroundings,
    settings: WorkerSettings,
    run: Callable[[Trial], None],
    *,
    known: frozenset[str],
    environ_before: Mapping[str, str],
) -> NoReturn:
    """Wait for the order to train a trial in this process, and exit after that.

    Args:
        connection: To the worker.
        surroundings: The worker's environment and place.
        settings: What all attempts of the sweep share.
        run: Trains a trial.
        known: The modules that the parent has imported.
        environ_before: Its environment before these imports.
    """
    status = 1
    try:
        os.setsid()
        end_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ignore_sigterm()
        _take_over(surroundings.environ, before=environ_before)
        used: list[bool] = []
        refuse_ray(lambda: used.append(True))
        isolation = OwnProcess()
        seed_all(0)  # copies the memory of the generators before the trial waits for it
        order, part = _ordered(connection)
        attempt = attempt_of(order, settings, run, isolation, part)
        arguments = (connection, attempt, surroundings, known, used)
        answering = threading.Thread(target=_answer, args=arguments, daemon=True)
        answering.start()
        attempt.run()
        answering.join()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _ordered(connection: Connection) -> tuple[Start, Part]:
    """Wait for an order; exit if there will be none."""
    try:
        connection.send(Forked(pid=os.getpid()))
        order, part = connection.recv()
    except (EOFError, ConnectionError):
        os._exit(0)
    assert isinstance(order, Start)
    return order, part


def _take_over(environ: Mapping[str, str], *, before: Mapping[str, str]) -> None:
    """Make the worker's environment this process's, with what the imports have changed since ``before``."""
    changed = {name: value for name, value in os.environ.items() if before.get(name) != value}
    removed = before.keys() - os.environ.keys()
    os.environ.clear()
    os.environ.update({name: value for name, value in environ.items() if name not in removed} | changed)


def _answer(
    connection: Connection, attempt: Attempt, surroundings: Surroundings, known: frozenset[str], used_ray: list[bool]
) -> None:
    """Answer the worker until the trial has ended, or is to end."""
    try:
        over = False
        while not over and connection.recv_bytes() == COLLECT:
            update = attempt.update(node=surroundings.node, gpu_ids=surroundings.gpu_ids)
            over = update.ended is not None
            connection.send(Packed(update=update.pack(), over=over, used_ray=bool(used_ray)))
        ended = attempt.end()
        connection.send(Closing(imported=_imported(known) if ended else ()))
        if not ended:
            os._exit(1)
    except (EOFError, ConnectionError):
        os.killpg(0, signal.SIGKILL)


def _imported(known: frozenset[str]) -> tuple[str, ...]:
    """Installed modules that are imported here, and not in the parent; not those of the user's project."""
    return tuple(name for name, module in list(sys.modules.items()) if name not in known and _installed(module))


def _installed(module: ModuleType) -> bool:
    origin = getattr(getattr(module, "__spec__", None), "origin", None) or ""
    return "site-packages" in Path(origin).parts or origin.startswith(_STANDARD_LIBRARY)
