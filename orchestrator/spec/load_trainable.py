"""Imports the trainable that a spec names: a built-in, ``module:attr`` or ``file.py:attr``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from orchestrator import own_packages
from orchestrator.code.pinned import spec_of
from orchestrator.errors import TrainableError
from orchestrator.spec.foreign_functions import is_objective, refuse_foreign
from orchestrator.spec.values_read import ValuesRead, values_read
from orchestrator.suggestions import did_you_mean
from trainables import BUILTIN
from trainables.command import executable
from trainables.command.program import Program
from trainables.declaration import Declaration, declaration_of

_importing: list[str] = []

Shape = Literal["function", "class", "ray", "ray_class", "objective"]
"""``train(config, trial)``; a class with ``step()``; a Ray Tune function, ``train(config)``; a class of
Ray Tune, ``tune.Trainable``; or an objective of Optuna, ``objective(trial)``."""

OBJECTIVE = Declaration(hyperparameters=(), define_by_run=True)
"""What is known of an objective of Optuna."""


def load(reference: str | Program, base: Path) -> Callable[..., Any]:
    """The trainable that a spec names.

    Args:
        reference: The value of `trainable:`, or the program of `command:`.
        base: The spec's directory: paths are relative to it, and it is put first on sys.path.

    Raises:
        TrainableError: The trainable does not exist, cannot be imported, or has no known form; the program is missing.
    """
    if isinstance(reference, Program):
        problem, remedy = executable.problem(reference.arguments, base)
        if not problem and reference.template and not (base / reference.template).is_file():
            problem, remedy = f"there is no file {base / reference.template}", "the template's path from the spec"
        if problem:
            raise TrainableError(problem, value=str(reference), allowed=remedy)
        return reference
    where, _, attribute = BUILTIN.get(reference, reference).partition(":")
    if not attribute:
        kind = "file.py:function, module:function, or built in"
        allowed = did_you_mean(reference, BUILTIN, kind=kind)
        raise TrainableError(f"unknown trainable {reference!r}", value=reference, allowed=allowed)
    if reference in BUILTIN:
        with own_packages.ours():
            module = importlib.import_module(where)
    else:
        module = import_user(where, base)
    trainable = getattr(module, attribute, None)
    if trainable is None:
        own = [name for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__]
        raise TrainableError(f"{where} has no {attribute!r}", value=attribute, allowed=did_you_mean(attribute, own))
    check_trainable(trainable)
    return trainable  # type: ignore[no-any-return]


def known(reference: str | Program, base: Path) -> Declaration | ValuesRead | None:
    """What is known of the values that a trainable reads: by its declaration, or by its source. Raises as ``load``."""
    return known_of(load(reference, base))


def known_of(trainable: object) -> Declaration | ValuesRead | None:
    """The same of a function or class."""
    return declared_by(trainable) or values_read(trainable)


def check_trainable(trainable: object) -> None:
    """Refuse what cannot be trained, before anything starts.

    Raises:
        TrainableError: It has no known form, or is written for Optuna or Ray Tune in a way that fails here.
    """
    shape_of(trainable)
    refuse_foreign(trainable)


def declared(reference: str | Program, base: Path) -> Declaration | None:
    """The trainable's declaration; None if it has none. Raises as ``load`` does."""
    return declared_by(load(reference, base))


def declared_by(trainable: object) -> Declaration | None:
    """The declaration of a function or class; that of an objective of Optuna is always the same."""
    declaration = declaration_of(trainable)
    return OBJECTIVE if declaration is None and shape_of(trainable) == "objective" else declaration


def shape_of(trainable: object) -> Shape:
    """How to call the trainable.

    Raises:
        TrainableError: The object is not a trainable.
    """
    if isinstance(trainable, type):
        if any(cls.__module__.startswith("ray.tune") for cls in trainable.__mro__):
            return "ray_class"
        if not callable(getattr(trainable, "step", None)):
            raise TrainableError(f"the class {trainable.__name__} has no method step() that returns metrics")
        return "class"
    if not callable(trainable):
        raise TrainableError(f"a trainable is a function or a class, not {type(trainable).__name__}")
    try:
        parameters = inspect.signature(trainable).parameters.values()
    except (TypeError, ValueError):
        return "function"
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) or len(needed) == 2:
        return "function"
    if len(needed) == 1:
        return "objective" if is_objective(trainable, needed[0].name) else "ray"
    raise TrainableError(
        f"a training function takes (config, trial), (config) if it calls ray.tune.report, or (trial) if it calls"
        f" trial.suggest_…; this one takes {inspect.signature(trainable)}"
    )


def import_user(where: str, base: Path) -> ModuleType:
    """A user's module, by its name or the path of its file; ``base`` is put first on sys.path.

    Raises:
        TrainableError: It does not exist, or cannot be imported.
    """
    with importing(where, base):
        return _import_file(base / where) if where.endswith(".py") else importlib.import_module(where)


@contextmanager
def importing(where: str, *search: Path) -> Iterator[None]:
    """Run a user's module: with directories first on sys.path, and what it raises as a TrainableError.

    Args:
        where: What is imported, for errors.
        search: The directories, the first of which is to be the first.
    """
    for directory in reversed(search):
        own_packages.give_way(directory)
        if str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    streams = sys.stdout, sys.stderr
    _importing.append(where)
    try:
        yield
    except TrainableError:
        raise
    except (Exception, SystemExit) as error:
        raise TrainableError(f"{where} cannot be imported: {_last_line(error, where)}") from error
    finally:
        _importing.pop()
        sys.stdout, sys.stderr = streams  # in case that it has replaced them, by a copy into a file for example


def refuse_while_importing() -> None:
    """Refuse to start a sweep while the module of a trainable is imported for another.

    Raises:
        TrainableError: One is.
    """
    if _importing:
        raise TrainableError(
            f'{_importing[-1]} starts a sweep whenever it is imported: do that under `if __name__ == "__main__":`'
        )


def _import_file(path: Path) -> ModuleType:
    name = path.stem
    known = sys.modules.get(name)
    is_known = known is not None and getattr(known, "__file__", None) == str(path)
    if (known is not None and not is_known) or name in sys.stdlib_module_names:
        name = f"{name}_beside_the_spec"  # `random.py` must not replace Python's own
    spec = spec_of(name, path)
    if spec is None:
        if not path.is_file():
            allowed = did_you_mean(path.name, sorted(file.name for file in path.parent.glob("*.py")))
            raise TrainableError(f"there is no file {path}", value=path.name, allowed=allowed)
        spec = importlib.util.spec_from_file_location(name, path)
    if known is not None and is_known:
        return known
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _last_line(error: BaseException, where: str) -> str:
    """The error's message, and the line of the user's file that raised it."""
    summary = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    file = where if where.endswith(".py") else where.replace(".", "/") + ".py"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(file)]
    return f"{summary} (line {lines[-1]})" if lines else summary
