"""`sweep plan`: what a sweep will do, what fits, how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cluster.fit import Need
from cluster.imagined import GPUS_PER_NODE, PLENTY, imagined
from cluster.inventory import Node
from orchestrator.analysis.earlier.take import take_earlier
from orchestrator.cli.formats import painted
from orchestrator.cli.views.budget import ends_early, parameters_text, trials_text
from orchestrator.cli.views.forecast import PlanForecast, about, of_the_first, plan_forecast, whole
from orchestrator.cli.views.nodes import node_rows
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import rung_column
from orchestrator.core.ladder import Ladder
from orchestrator.core.plan import Plan, make_plan
from orchestrator.errors import OptionsError
from orchestrator.formatting import count, duration
from orchestrator.simulate.forecast import Forecast
from orchestrator.sites.needs import Needs, needs_of
from orchestrator.sites.placement import free_slots
from orchestrator.spec.max_step import UNDECLARED_LENGTH, max_seconds
from orchestrator.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The plan of a sweep on some nodes, and its forecast."""

    found: Source
    nodes: Sequence[Node]
    needs: Needs  # what trials occupy
    plan: Plan
    expected: PlanForecast
    learns: Sequence[str]  # what the search learns from earlier sweeps, a sentence for each


def preview(found: Source, nodes: Sequence[Node], *, step_s: float | None, results: Path) -> Preview:
    """Plan a sweep, and forecast how long it takes.

    Args:
        found: The sweep.
        nodes: The nodes it runs on.
        step_s: Seconds that a step takes; None: as in an earlier sweep.
        results: The results directory with that earlier sweep.

    Raises:
        InfeasibleError: One trial does not fit.
        NoSuchSweepError: An earlier sweep to learn from does not exist.
    """
    spec = found.spec
    slots, needs = free_slots(spec, nodes), needs_of(spec, nodes)
    plan = make_plan(spec, found.declaration, slots=slots, gpus_per_trial=needs.gpus)
    expected = plan_forecast(found, nodes, slots=slots, needs=needs, step_s=step_s, results=results)
    learns = take_earlier(found, results).notes
    return Preview(found=found, nodes=nodes, needs=needs, plan=plan, expected=expected, learns=learns)


def preview_text(seen: Preview) -> str:
    """The preview as text."""
    found, nodes, needs, plan, expected = seen.found, seen.nodes, seen.needs, seen.plan, seen.expected
    spec = found.spec
    later = "; more once their GPU memory has been measured" if spec.resources.gpu == "packed" and needs.gpus else ""
    head = f"{found.name}: {trials_text(plan.trials, spec)} of {spec.trained} over"
    method = f"{spec.search.method}, seed {spec.search.seed}"
    facts = {
        "fits here" if nodes[0].memory < PLENTY else "would fit": (
            f"{count(plan.slots, 'trial')} at once, {_each(needs)} each{later} ({_machines(nodes)})"
        ),
        "length": _length(found, plan),
        "steps": _steps(plan, expected.seen, limited=max_seconds(spec) is not None),
        "ceiling": _ceiling(plan),
        "until": ends_early(spec),
        **expected.facts,
    }
    lines = [
        f"{painted(head, None, bold=True)} {parameters_text(found)} ({method})",
        *(f"{name + ':':<11}{fact}" for name, fact in facts.items() if fact),
    ]
    lines += [f"{'search:':<11}{note}" for note in seen.learns]
    if len(nodes) > 1 and all(node.id for node in nodes):
        lines += ["", as_table(node_rows(nodes, needs))]
    if plan.ladder is not None and expected.seen is not None:
        lines += ["", _rungs(plan.ladder, expected.seen)]
    warnings = (*plan.warnings, *expected.warnings)
    if warnings:
        lines += ["", *(f"{painted('warning:', 'yellow')} {warning}" for warning in warnings)]
    return "\n".join(lines)


def preview_data(seen: Preview) -> dict[str, Any]:
    """The preview as data."""
    spec, plan, needs = seen.found.spec, seen.plan, seen.needs
    return {
        "name": seen.found.name,
        "trainable": str(spec.trained),
        "objective": {"metric": spec.objective.metric, "mode": spec.objective.mode, "at": spec.objective.at},
        "method": spec.search.method,
        "seed": spec.search.seed,
        "trials": plan.trials,
        "parameters": plan.dimensions,
        "slots": plan.slots,
        "trial": _need_data(needs.kinds[-1]),
        "sizes": [_need_data(need) for need in needs.kinds],
        "nodes": [_node_data(node, needs) for node in seen.nodes],
        "max_step": plan.max_step,
        "full_steps": plan.full_steps,
        "scheduler": None if plan.ladder is None else asdict(plan.ladder),
        "ceiling_s": plan.ceiling_s,
        "ceiling_gpu_s": plan.ceiling_gpu_s,
        "target": spec.budget.target,
        "patience": spec.budget.patience,
        "min_gain": spec.budget.min_gain,
        "forecast": _forecast_data(seen.expected),
        "learns": list(seen.learns),
        "warnings": [*plan.warnings, *seen.expected.warnings],
    }


def _need_data(need: Need) -> dict[str, Any]:
    return {"ranks": need.ranks, "cpus": need.cpus, "gpus": need.gpus, "memory": need.memory or None}


def _node_data(node: Node, needs: Needs) -> dict[str, Any]:
    imaginary = node.memory >= PLENTY
    return {
        "name": node.name or None,
        "imagined": imaginary,
        "cpus": node.cpus,
        "gpus": node.gpus,
        "memory": None if imaginary else node.memory,
        "accelerator": node.accelerator or None,
        "slots": needs.slots([node]),
    }


def _forecast_data(expected: PlanForecast) -> dict[str, Any] | None:
    seen = expected.seen
    if seen is None:
        return None
    timed = expected.in_seconds
    return {
        "unit": "seconds" if timed else "steps",
        "step_s": None if expected.step_s is None else asdict(expected.step_s),
        "step_from": expected.step_from,
        "simulated_sweeps": seen.sweeps,
        "duration": asdict(seen.seconds),
        "best_known_after": asdict(seen.best_s),
        "trained": asdict(seen.trained_s),
        "steps": asdict(seen.steps),
        "trials": asdict(seen.trials),
        "driver_busy": seen.driver if timed else None,
        "search_busy": seen.search if timed else None,
        "ended_by": seen.ended_by,
        "complete": seen.complete,
        "rungs": [asdict(rung) for rung in seen.rungs],
    }


def nodes_for(found: Source, gpus: int, *, per_node: int | None, cpus: int | None) -> tuple[Node, ...]:
    """Hypothetical nodes to plan for.

    Args:
        found: The sweep.
        gpus: GPUs of all nodes together.
        per_node: GPUs of each node; None: 8.
        cpus: CPUs of each node; None: as many as its trials need.

    Raises:
        UserError: The trials use no GPUs, so the number of GPUs does not tell how many run at once.
    """
    per_node = per_node or GPUS_PER_NODE
    needs = needs_of(found.spec, [Node(name="", cpus=PLENTY, gpus=per_node)])
    if not needs.gpus and cpus is None:
        raise OptionsError(
            "the trials use no GPU (resources.gpu is 0), so --gpus does not tell how many run at once; also give --cpus"
        )
    return imagined(gpus, needs.kinds, per_node=per_node, cpus=cpus)


def _machines(nodes: Sequence[Node]) -> str:
    if len(nodes) == 1 and nodes[0].memory < PLENTY:
        return f"{nodes[0].name} has {_has(nodes[0])}"
    kinds = Counter(map(_has, nodes))
    text = "; ".join(f"{count(number, 'node')} with {has}" for has, number in kinds.items())
    return text if nodes[0].memory < PLENTY else f"hypothetical: {text}, enough memory"


def _has(node: Node) -> str:
    memory = f", {node.memory / 2**30:.1f} GiB" if node.memory < PLENTY else ""
    return f"{_amount(node.cpus, 'CPU')}, {_amount(node.gpus, 'GPU')}{memory}"


def _length(found: Source, plan: Plan) -> str:
    """The length of a full training, and where it is set; precedence as in ``spec.max_step``."""
    spec, most_s = found.spec, max_seconds(found.spec)
    steps = "" if plan.max_step is None else _length_in_steps(found, plan)
    if most_s is None:
        return steps or "unknown, so no trial is stopped early; set scheduler.max or fixed.epochs"
    key = "trial.max_time" if most_s == spec.trial.max_time else "scheduler.max"
    time = f"{steps or 'a full training'}{', or' if steps else ' takes'} at most {duration(most_s)} ({key})"
    unset = spec.scheduler is None or spec.scheduler.method == "auto"
    hint = "; no trial is stopped early: set scheduler.unit to seconds" if plan.ladder is None and unset else ""
    return f"{time}{hint}"


def _length_in_steps(found: Source, plan: Plan) -> str:
    spec, declaration = found.spec, found.declaration
    name = UNDECLARED_LENGTH if declaration is None else declaration.length
    assert plan.max_step is not None
    if spec.scheduler is not None and spec.scheduler.max is not None and not spec.scheduler.in_seconds:
        origin = "scheduler.max"
    elif name in spec.fixed:
        origin = f"fixed.{name}"
    elif name in spec.distributions():
        origin = f"the maximum of space.{name}"
    else:
        origin = f"the default of {name} in {spec.trained}"
    return f"a full training has {count(plan.max_step, 'step')} ({origin})"


def _steps(plan: Plan, seen: Forecast | None, *, limited: bool) -> str:
    """Of how many steps a training consists. ``limited``: time may end it."""
    if seen is None or plan.full_steps is None:
        return ""
    if plan.ladder is None and not limited:
        return f"{plan.full_steps:,}"
    if not seen.complete:
        return f"{about(seen.steps, whole)}{of_the_first(seen)}, of {plan.full_steps:,} in full for all"
    share = seen.steps.middle / plan.full_steps
    return f"{about(seen.steps, whole)} of {plan.full_steps:,}, {share:.0%} of training every trial in full"


def _ceiling(plan: Plan) -> str:
    parts = []
    if plan.ceiling_s is not None:
        parts.append(duration(plan.ceiling_s))
    if plan.ceiling_gpu_s is not None:
        parts.append(f"{plan.ceiling_gpu_s / 3600:g} GPU-hours")
    return " and ".join(parts)


def _rungs(ladder: Ladder, seen: Forecast) -> str:
    column = rung_column(ladder.unit)
    rows: list[dict[str, int | None]] = [
        {column: rung.step, "trials": round(rung.entering), "continue": round(rung.continuing)} for rung in seen.rungs
    ]
    last = seen.rungs[-1].continuing if seen.rungs else seen.trials.middle
    rows.append({column: ladder.max_step, "trials": round(last), "continue": None})
    brackets = f"; {ladder.brackets} brackets together" if ladder.brackets > 1 else ""
    return f"{_rule(ladder)}; expected{brackets}:\n{as_table(rows)}"


def _rule(ladder: Ladder) -> str:
    """Which trials continue, in words."""
    match ladder.method:
        case "median":
            return "Trials continue that are better than the median so far"
        case "top_after":
            return f"Of all trials, the best {ladder.top} continue"
        case method:
            return f"{method.upper()} continues a trial that is among the best 1/{ladder.reduction_factor} so far"


def _each(needs: Needs) -> str:
    """What a trial occupies: ``2 CPUs and 1 GPU``, ``1 to 4 CPUs``."""
    least, most = needs.kinds[0], needs.kinds[-1]
    each = _amounts([need.cpus for need in needs.kinds], "CPU")
    if most.gpus:
        each += f" and {_amounts([need.gpus for need in needs.kinds], 'GPU')}"
    if least.ranks > 1:
        each = f"{least.ranks} ranks{' on one node' if least.strict else ''} with {each}"
    return each


def _amounts(numbers: Sequence[float], unit: str) -> str:
    least, most = min(numbers), max(numbers)
    return _amount(most, unit) if least == most else f"{least:g} to {_amount(most, unit)}"


def _amount(number: float, unit: str) -> str:
    """``2 CPUs``, ``0.5 GPU``."""
    return f"{number:g} {unit}" + ("s" if number > 1 or number == 0 else "")
