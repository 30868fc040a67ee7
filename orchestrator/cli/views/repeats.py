"""`sweep show --repeats` and `sweep confirm`: configurations that were trained several times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from orchestrator.analysis.compare.mean_interval import CONFIDENCE
from orchestrator.analysis.compare.repeats import RepeatedConfig
from orchestrator.analysis.summary.overview import Objective
from orchestrator.cli.formats import painted
from orchestrator.cli.views.table import as_table
from orchestrator.formatting import count


def repeats_text(name: str, objective: Objective, found: Sequence[RepeatedConfig]) -> str:
    """One line for each configuration, and a conclusion."""
    if not found:
        return f"no configuration of {name} was trained more than once; repeat the best with: sweep confirm {name}"
    rows: list[dict[str, Any]] = []
    compared = any(each.first is not None for each in found)
    for each in found:
        low, high = each.interval or (None, None)
        rows.append(
            {
                f"mean {objective.metric}": each.mean,
                f"{CONFIDENCE:.0%} interval": "–" if low is None else f"{low:.5g} to {high:.5g}",
                "is the best": f"{each.best:.0%}",
                **({"first": each.first, "flattered by": _by(each.flattered)} if compared else {}),
                "trained": _trained(each),
                "configuration": each.config,
            }
        )
    title = f"{painted(name, None, bold=True)}: {count(len(found), 'configuration')}, trained several times"
    return "\n".join([title, "", as_table(rows), *_sentences(objective, found)])


def repeats_rows(found: Sequence[RepeatedConfig]) -> list[dict[str, Any]]:
    """One row for each configuration."""
    return [
        {
            "config": each.config,
            "mean": each.mean,
            "low": each.interval[0] if each.interval else None,
            "high": each.interval[1] if each.interval else None,
            "best": each.best,
            "first": each.first,
            "flattered": each.flattered,
            "values": list(each.values),
            "trials": list(each.trials),
            "diverged": each.diverged,
            "failed": each.failed,
        }
        for each in found
    ]


def _sentences(objective: Objective, found: Sequence[RepeatedConfig]) -> list[str]:
    said = []
    flattered = [each.flattered for each in found if each.flattered is not None]
    if flattered:
        mean = statistics.fmean(flattered)
        how = f"{abs(mean):.3g} {'better' if mean > 0 else 'worse'} than they are" if mean else "as good as they are"
        said.append(f"On average, the first results made them look {how}.")
    values = [each.values for each in found if len(each.values) > 1]
    if values and all(len(set(each)) == 1 for each in values):
        said.append("The seed does not change what is trained, so these repeats do not measure chance.")
    return ["", *said] if said else []


def _trained(each: RepeatedConfig) -> str:
    more = [f"{number} {word}" for word, number in (("diverged", each.diverged), ("failed", each.failed)) if number]
    return ", ".join([f"{len(each.values)} ×", *more])


def _by(flattered: float | None) -> str:
    return "–" if flattered is None else f"{flattered:+.3g}"
