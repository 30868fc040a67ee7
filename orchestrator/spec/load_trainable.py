"""Imports the trainable that a spec names: a built-in, ``module:attr`` or ``file.py:attr``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from orchestrator import own_packages
from orchestrator.code.pinned import spec_of
from orchestrator.errors import TrainableError
from orchestrator.suggestions import did_you_mean
from trainables import BUILTIN
from trainables.contract import Declaration, declaration_of

Shape = Literal["function", "class", "ray"]
"""``train(config, trial)``; a class with ``step()``; or a Ray Tune function, ``train(config)``."""


def load(reference: str, base: Path) -> Callable[..., Any]:
    """The trainable that a spec names.

    Args:
        reference: The value of `trainable:`.
        base: The spec's directory: paths are relative to it, and it is put first on sys.path.

    Raises:
        TrainableError: The trainable does not exist, cannot be imported, or has no known form.
    """
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
    shape_of(trainable)
    return trainable  # type: ignore[no-any-return]


def declared(reference: str, base: Path) -> Declaration | None:
    """The trainable's declaration; None if it has none. Raises as ``load`` does."""
    return declaration_of(load(reference, base))


def shape_of(trainable: object) -> Shape:
    """How to call the trainable.

    Raises:
        TrainableError: The object is not a trainable.
    """
    if isinstance(trainable, type):
        if any(cls.__module__.startswith("ray.tune") for cls in trainable.__mro__):
            raise TrainableError(
                f"{trainable.__name__} is a ray.tune.Trainable class; give a function train(config) that calls"
                " tune.report, or a class with __init__(config, trial) and step()"
            )
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
        return "ray"
    raise TrainableError(
        f"a training function takes (config, trial), or (config) if it calls ray.tune.report; this one takes"
        f" {inspect.signature(trainable)}"
    )


def import_user(where: str, base: Path) -> ModuleType:
    """A user's module, by its name or the path of its file; ``base`` is put first on sys.path.

    Raises:
        TrainableError: It does not exist, or cannot be imported.
    """
    own_packages.give_way(base)
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    importlib.invalidate_caches()
    try:
        return _import_file(base / where) if where.endswith(".py") else importlib.import_module(where)
    except TrainableError:
        raise
    except (Exception, SystemExit) as error:
        raise TrainableError(f"{where} cannot be imported: {_last_line(error, where)}") from error


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
