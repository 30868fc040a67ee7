"""The answers of `sweep ls`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.analysis.overview import Overview
from orchestrator.cli.output import as_table
from orchestrator.cli.wording import duration, state_counts


def listing(found: Sequence[Overview]) -> str:
    """A line a sweep."""
    now = datetime.now(UTC)
    return as_table(
        [
            {
                "name": each.name,
                "status": each.status,
                "trials": sum(each.states.values()),
                "best": each.best,
                "metric": each.objective.metric if each.objective else "–",
                "age": _age(each.created, now),
                "trainable": each.trainable or "–",
                "states": each.problem or state_counts(each.states),
            }
            for each in found
        ]
    )


def listing_data(found: Sequence[Overview]) -> list[dict[str, Any]]:
    """The same for programs."""
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
        }
        for each in found
    ]


def _age(created: str, now: datetime) -> str:
    return duration((now - datetime.fromisoformat(created)).total_seconds()) if created else "–"
