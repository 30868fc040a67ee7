"""How much is searched and what ends a sweep, as `sweep check` and `sweep plan` say it."""

from __future__ import annotations

from orchestrator.formatting import count
from orchestrator.spec import Spec
from orchestrator.spec.source import Source


def parameters_text(found: Source) -> str:
    """How many parameters are searched, in words."""
    if found.declaration is not None and found.declaration.define_by_run:
        return "the parameters that it asks for"
    return count(len(found.spec.distributions()), "parameter")


def trials_text(trials: int | None, spec: Spec) -> str:
    """``60 trials``, ``20 trials (by default)``, or that no number ends the sweep."""
    if trials is None:
        return "any number of trials"
    limited = spec.budget.trials is not None or spec.search.method in ("grid", "list")
    return count(trials, "trial") + ("" if limited else " (by default)")


def ends_early(spec: Spec) -> str:
    """Which results end the sweep: ``val_auroc is 0.95 or above, or 40 trials bring no gain``; "" if none do."""
    budget, objective = spec.budget, spec.objective
    ends = []
    if budget.target is not None:
        side = "below" if objective.mode == "min" else "above"
        ends.append(f"{objective.metric} is {budget.target:g} or {side}")
    if budget.patience is not None:
        gain = f"gain of {budget.min_gain:g} or more" if budget.min_gain else "better result"
        ends.append(f"{count(budget.patience, 'trial')} in a row bring no {gain}")
    return ", or ".join(ends)
