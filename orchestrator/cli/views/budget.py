"""What ends a sweep, as `sweep check` and `sweep plan` say it."""

from __future__ import annotations

from orchestrator.formatting import count
from orchestrator.spec import Spec


def trials_text(trials: int | None) -> str:
    """``60 trials``, or that no number ends the sweep."""
    return "any number of trials" if trials is None else count(trials, "trial")


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
