"""Loads the trainable of a sweep in the process that is to run it."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cluster.ray_private.tune_wrappers import unwrapped
from orchestrator.code.pinned import pin
from orchestrator.errors import TrainableError
from orchestrator.spec import load_trainable
from orchestrator.worker.failures import describe
from orchestrator.worker.messages import WorkerSettings, unpack_function
from trainables.configuration import nested
from trainables.contract import run as run_trainable
from trainables.declaration import declaration_of
from trainables.trial import Trial


def load(settings: WorkerSettings) -> Any:
    """Import the sweep's trainable, in the spec's directory.

    Raises:
        TrainableError: The trainable cannot be imported.
    """
    os.chdir(settings.base)
    pin(settings.code)
    if settings.function is not None:
        return unpack_function(settings.function)
    return unwrapped(load_trainable.load(settings.trainable, Path(settings.base)))


def runner(trainable: Any, settings: WorkerSettings) -> Callable[[Trial], None]:
    """A function that trains a trial, with the trainable's declared defaults filled in, and dotted names nested.

    The trainable's ``prepare`` is called now, if it has one: what it loads is there for every trial of the process.

    Raises:
        TrainableError: ``prepare`` has failed.
    """
    declaration = declaration_of(trainable)
    defaults = declaration.defaults() if declaration is not None else {}
    load_trainable.shape_of(trainable)
    _prepare(trainable, nested({**defaults, **settings.fixed}))

    def run(trial: Trial) -> None:
        trial.config = nested({**defaults, **trial.config})
        train(trainable, trial, settings.objective.metric)

    return run


def train(trainable: Any, trial: Trial, metric: str) -> None:
    """Train a trial to its end, whatever the form of the trainable; `sys.exit(0)` ends it as a return does.

    Args:
        trainable: A function or a class.
        trial: The trial.
        metric: The objective, for errors.
    """
    try:
        match load_trainable.shape_of(trainable):
            case "ray":
                from orchestrator.worker import ray_function

                ray_function.run(trainable, trial, metric)
            case "ray_class":
                from orchestrator.worker import ray_class

                ray_class.run(trainable, trial)
            case "objective":
                from orchestrator.worker import optuna_objective

                optuna_objective.run(trainable, trial, metric)
            case _:
                run_trainable(trainable, trial)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise


def _prepare(trainable: Any, fixed: Mapping[str, Any]) -> None:
    found = inspect.getattr_static(trainable, "prepare", None)
    if found is None or (isinstance(trainable, type) and not isinstance(found, staticmethod | classmethod)):
        return  # a method of that name is the class's own affair
    try:
        trainable.prepare(copy.deepcopy(dict(fixed)))
    except Exception as error:
        failure = describe(error)
        raise TrainableError(f"prepare() failed: {failure.fingerprint}: {failure.message}") from error
