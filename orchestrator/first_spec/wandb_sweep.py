"""Translates a sweep of Weights & Biases, as its sweep configuration reference describes it (docs.wandb.ai, "Sweep
configuration options"), and says what it could not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft, Proposed

_METHODS = {"grid": "grid", "random": "random", "bayes": "auto"}
_KNOWN = frozenset({"program", "command", "method", "metric", "parameters", "early_terminate", "run_cap", "name"})
_SILENT = frozenset({"project", "entity", "description", "program_args"})  # of W&B's own pages
_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
_QUANTISED = {"q_uniform", "q_log_uniform", "q_log_uniform_values", "q_normal", "q_log_normal"}


def is_wandb_sweep(data: Mapping[str, Any]) -> bool:
    """Whether a YAML document is a sweep of W&B."""
    return isinstance(data.get("parameters"), Mapping) and "space" not in data


def from_wandb(data: Mapping[str, Any], shown: str) -> Draft:
    """Translate a sweep.

    Args:
        data: The document.
        shown: Its path, for the first line.

    Raises:
        UserError: A parameter or the metric has not the form that W&B's reference gives it.
    """
    notes: list[str] = []
    fixed: dict[str, Proposed] = {}
    space: dict[str, Proposed] = {}
    for name, parameter in _parameters(data["parameters"], shown):
        if "value" in parameter:
            fixed[name] = Proposed(value=parameter["value"])
            continue
        distribution, remark = _distribution(name, parameter, shown)
        if distribution is None:
            notes.append(f"{name}: {remark}.")
        else:
            space[name] = Proposed(value=distribution, remark=remark)
    metric = data.get("metric", {})
    if not isinstance(metric, Mapping):
        raise UserError(f"{shown}: metric is {metric!r:.60}; it has a name and a goal")
    sections: dict[str, Proposed] = {}
    method = str(data.get("method", "random"))
    if method not in _METHODS:
        notes.append(f"The method {method} is unknown here: search.method is left at its default.")
    elif method != "bayes":
        sections["search"] = Proposed(value={"method": _METHODS[method]})
    scheduler, remark = _scheduler(data.get("early_terminate"))
    if scheduler is not None:
        sections["scheduler"] = Proposed(value=scheduler, remark=remark)
    elif remark:
        notes.append(remark)
    budget = {"trials": data["run_cap"]} if isinstance(data.get("run_cap"), int) else {}
    if isinstance(metric.get("target"), int | float):
        budget["target"] = metric["target"]
    if budget:
        sections["budget"] = Proposed(value=budget)
    command, about_command = _command(data, [*fixed, *space])
    notes += about_command
    notes += [f"{key} has no counterpart." for key in data if key not in _KNOWN and key not in _SILENT]
    goal = str(metric.get("goal", "minimize"))
    name = str(data.get("name", ""))
    return Draft(
        source=f"the W&B sweep {shown}",
        name=name if name.replace("-", "").replace("_", "").replace(".", "").isalnum() else "",
        notes=tuple(notes),
        runs=("command", Proposed(value=command)),
        fixed=fixed,
        space=space,
        objective=Proposed(
            value={"metric": str(metric.get("name", "loss")), "mode": "max" if goal == "maximize" else "min"},
            remark="" if metric.get("name") else "the sweep names no metric",
        ),
        sections=sections,
    )


def _parameters(parameters: Mapping[str, Any], shown: str, group: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each parameter by its dotted name."""
    for name, parameter in parameters.items():
        if not isinstance(parameter, Mapping):
            raise UserError(
                f"{shown}: parameters.{group}{name} is {parameter!r:.60}; it has value, values, or min and max"
            )
        if isinstance(parameter.get("parameters"), Mapping):
            yield from _parameters(parameter["parameters"], shown, f"{group}{name}.")
        else:
            yield f"{group}{name}", parameter


def _distribution(name: str, parameter: Mapping[str, Any], shown: str) -> tuple[dict[str, Any] | None, str]:
    """The distribution, and a remark; None, and why there is none."""
    kind = parameter.get("distribution") or _implied(parameter)
    if kind in ("categorical", "categorical_w_probabilities"):
        values = parameter.get("values")
        if not isinstance(values, list) or not values:
            raise UserError(f"{shown}: parameters.{name} has no values")
        weights = parameter.get("probabilities")
        return {"choice": values} | ({"weights": weights} if isinstance(weights, list) else {}), ""
    if kind in ("normal", "q_normal", "log_normal", "q_log_normal"):
        form = "lognormal" if "log" in kind else "normal"
        spread = [float(parameter.get("mu", 0)), float(parameter.get("sigma", 1))]
        return {form: spread} | _step(kind, parameter), ""
    low, high = (_number(parameter.get(key), f"{shown}: parameters.{name}.{key}") for key in ("min", "max"))
    match kind:
        case "int_uniform":
            return {"int": [round(low), round(high)]}, ""
        case "uniform" | "q_uniform":
            return _whole({"uniform": [float(low), float(high)]} | _step(kind, parameter)), ""
        case "log_uniform" | "q_log_uniform":
            low, high = math.exp(low), math.exp(high)
            return _whole({"loguniform": [low, high]} | _step(kind, parameter)), "W&B gives the exponents of e"
        case "inv_log_uniform":
            return {"loguniform": [math.exp(-high), math.exp(-low)]}, "W&B gives the exponents of e"
        case "log_uniform_values" | "q_log_uniform_values" | "inv_log_uniform_values":
            return _whole({"loguniform": [float(low), float(high)]} | _step(kind, parameter)), ""
    return None, f"the distribution {kind} has no counterpart; give the range yourself"


def _number(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UserError(f"{where} is {value!r:.40}; it is a number")
    return value


def _implied(parameter: Mapping[str, Any]) -> str:
    """The distribution that W&B takes if none is named."""
    if "values" in parameter:
        return "categorical_w_probabilities" if "probabilities" in parameter else "categorical"
    if "mu" in parameter or "sigma" in parameter:
        return "normal"
    return "int_uniform" if all(isinstance(parameter.get(key), int) for key in ("min", "max")) else "uniform"


def _step(kind: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {"step": parameter.get("q", 1)} if kind in _QUANTISED else {}


def _whole(distribution: dict[str, Any]) -> dict[str, Any]:
    """Whole steps between whole numbers as a range of integers, which they are for W&B."""
    form, (low, high) = next(iter(distribution.items()))
    step = distribution.get("step")
    if not isinstance(step, int) or not (float(low).is_integer() and float(high).is_integer()):
        return distribution
    whole = {"logint" if form == "loguniform" else "int": [int(low), int(high)]}
    return whole | ({"step": step} if step != 1 else {})


def _scheduler(early: Any) -> tuple[dict[str, Any] | None, str]:
    """ASHA in place of W&B's Hyperband, and a remark."""
    if not isinstance(early, Mapping):
        return None, ""
    if early.get("type", "hyperband") != "hyperband":
        return (
            None,
            f"early_terminate of type {early.get('type')} has no counterpart: the scheduler is left at its default.",
        )
    factor = early.get("eta", 3)
    asha: dict[str, Any] = {"method": "asha", "reduction_factor": max(2, round(factor))}
    if isinstance(early.get("min_iter"), int):
        asha["grace_period"] = early["min_iter"]
    elif isinstance(early.get("max_iter"), int) and isinstance(early.get("s"), int):
        asha["grace_period"] = max(1, round(early["max_iter"] / factor ** early["s"]))
    if isinstance(early.get("max_iter"), int):
        asha["max"] = early["max_iter"]
    return asha, "W&B stops by brackets of its own; steps are those that the program reports"


def _command(data: Mapping[str, Any], names: list[str]) -> tuple[str | list[str], list[str]]:
    """The command, and what is to be said of it."""
    words = data.get("command") or list(_COMMAND)
    words = words.split() if isinstance(words, str) else words
    notes: list[str] = []
    arguments: list[str] = []
    for word in map(str, words):
        match word:
            case "${env}" | "/usr/bin/env":
                continue
            case "${interpreter}":
                arguments.append("python")
            case "${program}":
                arguments.append(str(data.get("program", "train.py")))
            case "${args}" | "${args_no_boolean_flags}":
                arguments += [f"--{name}={{{name}}}" for name in names]
                if word == "${args_no_boolean_flags}":
                    notes.append("Booleans are passed as --name=True: ${args_no_boolean_flags} has no counterpart.")
            case "${args_no_hyphens}":
                arguments += [f"{name}={{{name}}}" for name in names]
            case "${args_json_file}":
                arguments.append("{config.json}")
            case _ if "${" in word:
                notes.append(f"{word} in the command has no counterpart and was left out.")
            case _:
                arguments.append(word)
    if "program" not in data and any("${program}" in str(word) for word in words):
        notes.append("The sweep names no program: correct the command.")
    notes.append("Metrics given to wandb.log are not read: have the program also print them, as JSON lines.")
    return (arguments if any(" " in each for each in arguments) else " ".join(arguments)), notes
