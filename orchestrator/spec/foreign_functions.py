"""Functions written for Optuna or for Ray Tune: which run as they are, and what is said of others before any training.

What a function calls is read from its source. Where there is none, nothing is said, and the trials fail.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from orchestrator.errors import TrainableError


def refuse_foreign(trainable: object) -> None:
    """Refuse a function that would fail with the arguments that it gets.

    Raises:
        TrainableError: It takes more than Optuna or Ray Tune passes, and calls what these provide.
    """
    if not isinstance(trainable, FunctionType):
        return
    definition = definition_of(trainable)
    if definition is None:
        return
    name, taken = trainable.__name__, [each.arg for each in definition.args.args]
    used = [ast.unparse(each) for each in ast.walk(definition) if isinstance(each, ast.Attribute | ast.Name)]
    called = [ast.unparse(each.func) for each in ast.walk(definition) if isinstance(each, ast.Call)]
    takes = f"{name}({', '.join(taken)})"
    suggests = [each for each in called if any(each.startswith(f"{own}.suggest_") for own in taken)]
    if suggests and not is_objective(trainable, taken[0]):
        raise TrainableError(
            f"{takes} calls {suggests[0]}, as an objective of Optuna, which takes the trial alone; or write"
            " train(config, trial): it reads config['…'], and calls trial.report(step=…, …)"
        )
    if len(taken) != 2 or definition.args.defaults:
        return
    trial = taken[1]
    if trial in called:
        raise TrainableError(f"{takes} calls {trial}(…), as in old versions of Ray Tune; call trial.report(step=…, …)")
    rays = [each for each in called if each.rpartition(".")[2] == "report" and _is_rays(each, definition, trainable)]
    passed_on = trial == "trial" and used.count(trial) > sum(each.startswith("trial.") for each in used)
    if rays and f"{trial}.report" not in used and not passed_on:
        raise TrainableError(
            f"{takes} calls {rays[0]}, which works in functions (config) only; take (config) alone, or report by"
            " train(config, trial) and trial.report(step=…, …)"
        )


def is_objective(function: object, parameter: str) -> bool:
    """Whether a function of one parameter is an objective of Optuna: it takes a trial, or calls its ``suggest_…``."""
    if parameter == "trial":
        return True
    definition = definition_of(function) if isinstance(function, FunctionType) else None
    return definition is not None and any(
        ast.unparse(each.func).startswith(f"{parameter}.suggest_")
        for each in ast.walk(definition)
        if isinstance(each, ast.Call)
    )


def definition_of(function: FunctionType) -> ast.FunctionDef | None:
    """The syntax tree of a function; None if its source is not found."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef) else None


def _is_rays(called: str, definition: ast.FunctionDef, function: FunctionType) -> bool:
    """Whether a dotted name is of Ray: imported by the module, or in the function itself."""
    root = called.partition(".")[0]
    for node in ast.walk(definition):
        if isinstance(node, ast.Import | ast.ImportFrom) and root in _bound(node):
            modules = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            return any(module.partition(".")[0] == "ray" for module in modules)
    return _module_of(function.__globals__, root).partition(".")[0] == "ray"


def _bound(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [each.asname or each.name.partition(".")[0] for each in node.names]


def _module_of(names: Mapping[str, Any], name: str) -> str:
    found = names.get(name)
    if inspect.ismodule(found):
        return found.__name__
    return getattr(found, "__module__", None) or ""
