"""Translates the ``param_space`` of a Ray Tune program, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft, Proposed
from orchestrator.first_spec.parsers.constants import called, constant, constants_of, keywords
from orchestrator.first_spec.parsers.option import UNKNOWN

_RANGES = {
    "uniform": "uniform",
    "loguniform": "loguniform",
    "quniform": "uniform",
    "qloguniform": "loguniform",
    "randint": "int",
    "lograndint": "logint",
    "qrandint": "int",
    "qlograndint": "logint",
}
_ASHA = ("ASHAScheduler", "AsyncHyperBandScheduler")
_BELOW = ("randint", "lograndint")
"""Those of Ray Tune whose upper bound is not drawn."""


def is_ray_program(tree: ast.Module) -> bool:
    """Whether a program gives a search space to Ray Tune."""
    return _space_of(tree) is not None


def from_ray(tree: ast.Module, shown: str) -> Draft:
    """Translate a program.

    Raises:
        UserError: Its search space is not written in the file.
    """
    names = constants_of(tree)
    node = _space_of(tree)
    if not isinstance(node, ast.Dict):
        raise UserError(f"{shown}: its search space is not written as a dictionary that can be read")
    fixed: dict[str, Proposed] = {}
    space: dict[str, Proposed] = {}
    notes: list[str] = []
    for name, value in _flat(node):
        distribution = _distribution(value, names)
        told = constant(value, names)
        if distribution is not None:
            space[name] = Proposed(value=distribution)
        elif told is not UNKNOWN:
            fixed[name] = Proposed(value=told)
        else:
            notes.append(f"{name} is not read: it is {ast.unparse(value):.60}.")
    settings = _settings(tree, names)
    metric, mode = settings.get("metric"), settings.get("mode")
    if not isinstance(metric, str):
        notes.append("The program names no metric: correct the objective.")
    scheduler = _scheduler(tree, names)
    samples = settings.get("num_samples")
    grid = any("grid" in each.value for each in space.values())
    sections: dict[str, Proposed] = {"search": Proposed(value={"method": "grid"})} if grid else {}
    if scheduler:
        sections["scheduler"] = Proposed(value=scheduler)
    if isinstance(samples, int) and samples > 0 and not grid:
        sections["budget"] = Proposed(value={"trials": samples})
    function = _function_of(tree)
    if not function:
        notes.append("What it trains is not read: name the function.")
    return Draft(
        source=f"the search space in {shown}",
        notes=tuple(notes),
        runs=("trainable", Proposed(value=f"{shown}:{function or 'train'}")),
        fixed=fixed,
        space=space,
        objective=Proposed(
            value={"metric": metric if isinstance(metric, str) else "loss", "mode": mode if mode == "max" else "min"}
        ),
        sections=sections,
    )


def _tuner(tree: ast.Module) -> ast.Call | None:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next((node for node in calls if called(node) in ("tune.Tuner", "Tuner", "ray.tune.Tuner", "tune.run")), None)


def _space_of(tree: ast.Module) -> ast.expr | None:
    """The expression of the search space, a name followed to what it was assigned last."""
    tuner = _tuner(tree)
    if tuner is None:
        return None
    given = {each.arg: each.value for each in tuner.keywords}
    node = given.get("param_space") or given.get("config")
    if isinstance(node, ast.Name):
        assigned = [
            each.value
            for each in ast.walk(tree)
            if isinstance(each, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in each.targets)
        ]
        return assigned[-1] if assigned else node
    return node


def _function_of(tree: ast.Module) -> str:
    """The name of what is trained, also inside ``tune.with_resources`` and ``tune.with_parameters``."""
    node: ast.expr | None = next(iter(tuner.args), None) if (tuner := _tuner(tree)) is not None else None
    while isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    return node.id if isinstance(node, ast.Name) else ""


def _flat(node: ast.Dict, group: str = "") -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            if isinstance(value, ast.Dict):
                yield from _flat(value, f"{group}{key.value}.")
            else:
                yield f"{group}{key.value}", value


def _distribution(node: ast.expr, names: Mapping[str, Any]) -> dict[str, Any] | None:
    if not isinstance(node, ast.Call):
        return None
    kind = called(node).rpartition(".")[2]
    given = [constant(each, names) for each in node.args]
    named = keywords(node, names)
    if kind in ("choice", "grid_search"):
        values = given[0] if given else named.get("categories", named.get("values"))
        return {"grid" if kind == "grid_search" else "choice": values} if isinstance(values, list) and values else None
    if kind in ("randn", "qrandn"):
        mean, sd = (*given, 0.0, 1.0)[:2] if len(given) < 2 else given[:2]
        return None if UNKNOWN in (mean, sd) else {"normal": [float(mean), float(sd)]}
    if kind not in _RANGES:
        return None
    low = given[0] if given else named.get("lower", UNKNOWN)
    high = given[1] if len(given) > 1 else named.get("upper", UNKNOWN)
    step = given[2] if kind.startswith("q") and len(given) > 2 else named.get("q")
    if not all(isinstance(each, int | float) for each in (low, high)):
        return None
    form = _RANGES[kind]
    if form in ("int", "logint"):
        bounds: list[Any] = [int(low), int(high) - (kind in _BELOW)]
        if bounds[0] == bounds[1]:
            return {"choice": [bounds[0]]}
    else:
        bounds = [float(low), float(high)]
    return {form: bounds} | ({"step": step} if isinstance(step, int | float) and step != 1 else {})


def _settings(tree: ast.Module, names: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of TuneConfig, or of tune.run."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in ("TuneConfig", "run"):
            found |= {name: value for name, value in keywords(node, names).items() if value is not UNKNOWN}
    return found


def _scheduler(tree: ast.Module, names: Mapping[str, Any]) -> dict[str, Any]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in (
            "ASHAScheduler",
            "AsyncHyperBandScheduler",
        ):
            given = keywords(node, names)
            keys = {"max_t": "max", "grace_period": "grace_period", "reduction_factor": "reduction_factor"}
            asha = {ours: given[theirs] for theirs, ours in keys.items() if isinstance(given.get(theirs), int)}
            return {"method": "asha", **asha}
    return {}
