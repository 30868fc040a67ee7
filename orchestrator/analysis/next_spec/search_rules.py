"""Rules for the search: a new seed, and the best configurations so far as start points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.analysis.next_spec.prior_results import PriorResults
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.core.rows import Config
from orchestrator.expressions.expression import EvaluationError
from orchestrator.formatting import count
from orchestrator.space.space import Space
from orchestrator.spec.sections import DO_NOT_LEARN

STARTS = 3
"""The most start points."""


def new_seed(prior: PriorResults, search: Mapping[str, Any]) -> SpecChange | None:
    """Change the seed; with the same one, a search that has not learnt yet would sample the same relative positions."""
    if prior.results.method == "grid":
        return None
    seed = search["seed"]
    return SpecChange(edits={("search", "seed"): seed + 1}, reason=f"was {seed}: new samples and new trial seeds")


def learn_from(prior: PriorResults, search: Mapping[str, Any]) -> SpecChange | None:
    """Let the next search learn from this sweep, beside those that this one has learnt from."""
    before = search.get("from", [])
    if prior.results.method in DO_NOT_LEARN or prior.sweep in before:
        return None
    was = ", ".join(before) or "empty"
    return SpecChange(
        edits={("search", "from"): [*before, prior.sweep]}, reason=f"was {was}: the search learns from {prior.sweep}"
    )


def start(prior: PriorResults, search: Mapping[str, Any], space: Space) -> SpecChange | None:
    """Start with the best configurations that lie in the new space."""
    found: dict[str, tuple[int, Config]] = {}
    for each in prior.ranked:
        config = {name: value for name, value in each.config.items() if name in space.parameters}
        if len(found) < STARTS and _fits(space, config):
            found.setdefault(space.key(config), (each.trial, space.canonical(config)))
    if not found:
        return None
    trials = ", ".join(str(trial) for trial, _ in found.values())
    before = count(len(search["start"]), "other") if search["start"] else "empty"
    return SpecChange(
        edits={("search", "start"): [config for _, config in found.values()]},
        reason=f"was {before}: the best of {prior.sweep}, trial{'s' * (len(found) > 1)} {trials}",
    )


def _fits(space: Space, config: Config) -> bool:
    try:
        return not space.mistakes_in(config)
    except EvaluationError:
        return False
