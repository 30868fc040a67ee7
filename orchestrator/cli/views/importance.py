"""What `sweep show --importance` says."""

from __future__ import annotations

from typing import Any

from orchestrator.analysis.compare.importance import Importance, Weight
from orchestrator.analysis.summary.overview import Objective
from orchestrator.cli.formats import painted

BAR = 40
"""Characters for a parameter that explains everything."""


def importance_text(name: str, objective: Objective, found: Importance) -> str:
    """A bar a line: solid as long as the share, and a thin line up to the upper end of its interval."""
    lines = [f"{painted(name, None, bold=True)}: what matters for {objective.metric}", *found.remarks()]
    width = max((len(each) for each in (*(weight.name for weight in found.weights), *found.silent)), default=0)
    lines += [""] if found.weights else []
    lines += [_line(weight, width, len(found.common_step.losses)) for weight in found.weights]
    lines += [f"{silent:<{width}}     –  {why}" for silent, why in found.silent.items()]
    return "\n".join(lines)


def importance_data(found: Importance) -> dict[str, Any]:
    """The same for programs."""
    return {
        "step": found.common_step.step,
        "trials": len(found.common_step.losses),
        "judged": found.common_step.judged,
        "remarks": list(found.remarks()),
        "weights": importance_rows(found),
        "silent": dict(found.silent),
    }


def importance_rows(found: Importance) -> list[dict[str, Any]]:
    """A parameter a row."""
    return [
        {"parameter": each.name, "share": each.share, "low": each.low, "high": each.high, "trials": each.trials}
        for each in found.weights
    ]


def _line(weight: Weight, width: int, trials: int) -> str:
    solid = round(BAR * weight.share)
    bar = painted("█" * solid, "cyan") + "─" * (round(BAR * weight.high) - solid)
    among = f"  of the {weight.trials} trials that have it" if weight.trials < trials else ""
    interval = f"{weight.low:>3.0%} to {weight.high:.0%}"
    return f"{weight.name:<{width}}  {weight.share:>4.0%}  {interval:<12}  {bar}{among}".rstrip()
