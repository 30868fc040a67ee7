"""`sweep show --importance`: how much each parameter matters."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from orchestrator.analysis.compare.importance import Importance, Weight
from orchestrator.analysis.summary.overview import Objective
from orchestrator.cli.formats import painted
from orchestrator.cli.views.table import aligned

BAR = 40
"""Characters of the bar of a parameter that explains all variation."""


def importance_text(name: str, objective: Objective, found: Importance) -> str:
    """One bar for each parameter: solid for its share, thin up to the upper end of the interval."""
    lines = [f"{painted(name, None, bold=True)}: what matters for {objective.metric}", *found.remarks()]
    width = max(map(len, (*(weight.name for weight in found.weights), *found.silent)), default=0)
    rows = [_row(weight, len(found.common_step.losses), width) for weight in found.weights]
    silent = [(name.ljust(width), "   –", why) for name, why in found.silent.items()]
    blocks = [aligned(each, right=(1,)) for each in (rows, silent) if each]
    return "\n".join([*lines, *([""] if found.weights else []), *blocks])


def importance_data(found: Importance) -> dict[str, Any]:
    """The importances as data."""
    return {
        "step": found.common_step.step,
        "trials": len(found.common_step.losses),
        "judged": found.common_step.judged,
        "remarks": list(found.remarks()),
        "weights": importance_rows(found),
        "silent": dict(found.silent),
    }


def importance_rows(found: Importance) -> list[dict[str, Any]]:
    """One row for each parameter."""
    return [
        {"parameter": each.name, "share": each.share, "low": each.low, "high": each.high, "trials": each.trials}
        for each in found.weights
    ]


def _row(weight: Weight, trials: int, width: int) -> tuple[str | Text, ...]:
    solid = round(BAR * weight.share)
    bar = Text.assemble(("█" * solid, "cyan"), "─" * (round(BAR * weight.high) - solid))
    among = f"of the {weight.trials} trials that have it" if weight.trials < trials else ""
    return weight.name.ljust(width), f"{weight.share:>4.0%}", f"{weight.low:>3.0%} to {weight.high:.0%}", bar, among
