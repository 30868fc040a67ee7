"""`sweep ls`: the list of sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.analysis.compare.lineage import lineage
from orchestrator.analysis.summary.overview import Overview
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import state_counts
from orchestrator.formatting import duration, to_spread

BRANCH = "└ "


def listing(found: Sequence[Overview]) -> str:
    """One line for each sweep."""
    return _table([(each.name, each) for each in found])


def tree(found: Sequence[Overview]) -> str:
    """One line for each sweep, follow-up sweeps below the sweep that they come from."""
    here = {each.name for each in found}
    rows = []
    for each in lineage(found):
        branch = "  " * (each.depth - 1) + BRANCH if each.depth else ""
        gone = f" (from {each.sweep.parent})" if each.sweep.parent and each.sweep.parent not in here else ""
        rows.append((f"{branch}{each.sweep.name}{gone}", each.sweep))
    return _table(rows)


def _table(rows: Sequence[tuple[str, Overview]]) -> str:
    now = datetime.now(UTC)
    return as_table(
        [
            {
                "name": name,
                "status": each.status,
                "trials": sum(each.states.values()),
                "best": None if each.best is None else to_spread(each.best, each.spread),
                "metric": each.objective.metric if each.objective else "–",
                "age": _age(each.created, now),
                "trainable": each.trainable or "–",
                "states": each.problem or state_counts(each.states),
            }
            for name, each in rows
        ],
        spare=("trainable", "metric"),
    )


def listing_data(found: Sequence[Overview]) -> list[dict[str, Any]]:
    """The list as data."""
    return [
        {
            "name": each.name,
            "status": each.status,
            "trials": sum(each.states.values()),
            "states": {state.value: count for state, count in each.states.items()},
            "metric": each.objective.metric if each.objective else None,
            "mode": each.objective.mode if each.objective else None,
            "best": each.best,
            "created": each.created or None,
            "trainable": each.trainable or None,
            "parent": each.parent or None,
            "problem": each.problem or None,
        }
        for each in found
    ]


def _age(created: str, now: datetime) -> str:
    return duration((now - datetime.fromisoformat(created)).total_seconds()) if created else "–"
