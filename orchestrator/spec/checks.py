"""Checks the meaning of a well-formed spec: names exist, bounds fit, some configuration meets the constraints.

Each check adds its mistakes to the document and skips parts that are already broken, so that one slip is reported once.
"""

from __future__ import annotations

from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.formatting import shown
from orchestrator.space.probing import check_by_sampling
from orchestrator.space.space import CycleError, Space
from orchestrator.spec.max_step import max_step
from orchestrator.spec.model import DO_NOT_LEARN
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.spec.search_checks import check_search_settings
from orchestrator.suggestions import did_you_mean
from orchestrator.yaml.document import Path
from trainables.contract import RESERVED, Declaration

SCHEDULER_KEYS = {
    "variant": ("auto", "asha", "hyperband"),
    "grace_period": ("auto", "asha", "hyperband", "pasha", "median", "top_after"),
    "reduction_factor": ("auto", "asha", "hyperband", "pasha"),
    "brackets": ("auto", "asha"),
    "top": ("top_after",),
    "audit": ("auto", "asha", "hyperband", "pasha", "median", "top_after"),
}
"""The keys of `scheduler` that not every method takes, with the methods that do."""

_OLD_DEFAULTS: dict[str, tuple[int]] = {"reduction_factor": (3,), "brackets": (1,)}
"""Saved with every spec of earlier versions, whatever its method."""


def check_meaning(partial: PartialSpec) -> None:
    """Add every mistake in the well-formed parts that can be found without knowing the trainable."""
    _check_presence(partial)
    _check_metric(partial)
    _check_budget(partial)
    space = _checked_space(partial)
    if space is not None:
        _check_priors(partial)
        check_by_sampling(partial.document, space)
        _check_configs(partial, space)
        _check_grid(partial, space)


def _check_presence(partial: PartialSpec) -> None:
    spec, document = partial.spec, partial.document
    for name in partial.searched_names():
        if name in partial.fixed_names():
            path = partial.searched_path(name)
            document.add(path, f"{name} is also in fixed", f"remove it from fixed or from {path[0]}")
    if not partial.is_valid("search"):
        return
    listed = spec.search.method == "list"
    if listed and not spec.search.configs:
        document.add(("search", "configs"), "method list has no configurations", "a list, or the path of a CSV file")
    if not listed and spec.search.configs is not None:
        allowed = "method: list; or search.start for configurations to try first"
        document.add(("search", "configs"), f"method {spec.search.method} takes no configs", allowed)
    if spec.search.repeats > 1 and spec.search.method not in ("list", "grid"):
        allowed = "only list and grid do; the other methods never propose a configuration twice"
        document.add(("search", "repeats"), f"method {spec.search.method} takes no repeats", allowed)
    check_search_settings(partial)
    if not listed and partial.is_valid("space") and not spec.space:
        document.add(("space",), "there is nothing to search", "as in space: {lr: {loguniform: [1e-4, 1e-1]}}")


def _check_priors(partial: PartialSpec) -> None:
    method = partial.spec.search.method
    for name, distribution in partial.spec.space.items():
        prior, path = distribution.prior, ("space", name, "prior")
        if prior is None:
            continue
        if not distribution.contains(prior):
            partial.document.add(path, f"{shown(prior)} is not in the space", distribution.allowed(prior))
        elif method in DO_NOT_LEARN:
            allowed = "leave it out, or use a method that learns"
            partial.document.add(path, f"method {method} does not use a prior", allowed)


def _check_metric(partial: PartialSpec) -> None:
    metric = partial.spec.objective.metric
    if metric in RESERVED:
        problem = f"{metric!r} is a column of the records, so it cannot name a metric"
        partial.document.add(("objective", "metric"), problem, "a metric that the trainable reports, as in val_loss")


def _check_budget(partial: PartialSpec) -> None:
    budget, objective, document = partial.spec.budget, partial.spec.objective, partial.document
    if not partial.is_valid("budget"):
        return
    if budget.min_gain is not None and budget.patience is None:
        allowed = "budget.patience as well: the number of trials that may pass without such a gain"
        document.add(("budget", "min_gain"), "min_gain does nothing without patience", allowed)
    if budget.target is not None and partial.is_valid("objective") and objective.diverges(budget.target):
        problem = f"{objective.metric} {budget.target:g} counts as diverged"
        document.add(("budget", "target"), problem, "within objective.diverged_above")


def _checked_space(partial: PartialSpec) -> Space | None:
    """The space; None if an expression or distribution is broken."""
    spec, document = partial.spec, partial.document
    is_valid = partial.is_valid("space") and partial.is_valid("fixed") and partial.is_valid("search")
    for index, text in enumerate(spec.constraints):
        is_valid &= _parses(partial, ("constraints", index), text)
    for name, distribution in spec.space.items():
        is_valid &= distribution.when is None or _parses(partial, ("space", name, "when"), distribution.when)
    if not is_valid:
        return None
    try:
        return spec.parameter_space()
    except CycleError as cycle:
        document.add(("space", cycle.names[0], "when"), str(cycle), "depend on a parameter without a condition")
    return None


def _parses(partial: PartialSpec, path: Path, text: str) -> bool:
    try:
        expression = Expression.parse(text, [*partial.searched_names(), *partial.fixed_names()])
    except ExpressionError as error:
        partial.document.add(path, error.problem, error.allowed)
        return False
    for name, word in expression.compared_words():
        distribution = partial.spec.space.get(name)
        options = None if distribution is None or distribution.kind != "str" else distribution.values()
        if options is not None and word not in options:
            partial.document.add(path, f"{name} is never {word!r}", did_you_mean(word, options))
            return False
    return True


def _check_configs(partial: PartialSpec, space: Space) -> None:
    search = partial.spec.search
    configs = search.configs if isinstance(search.configs, list) else []
    for key, given in (("start", search.start), ("configs", configs)):
        for index, config in enumerate(given):
            path: Path = ("search", key, index)
            try:
                for name, problem, allowed in space.mistakes_in(config):
                    partial.document.add((*path, name) if name else path, problem, allowed)
            except EvaluationError as error:
                partial.document.add(path, error.problem)


def _check_grid(partial: PartialSpec, space: Space) -> None:
    if partial.spec.search.method != "grid":
        return
    for name, distribution in space.parameters.items():
        if distribution.values() is None:
            problem = f"{distribution.form} has infinitely many values, and method grid tries all values"
            bounded = distribution.numeric is not None
            partial.document.add(
                ("space", name), problem, "add a step:, or use grid: [...]" if bounded else "use grid: [...]"
            )


def check_scheduler(partial: PartialSpec, declaration: Declaration | None) -> None:
    """Add a mistake for a key that the method does not use, and if the length of a training is unknown or too short."""
    scheduler = partial.spec.scheduler
    if scheduler is None:
        return
    if not all(map(partial.is_valid, ("scheduler", "fixed", "space", "search"))):
        return
    longest = max_step(partial.spec, declaration)
    document = partial.document
    given = {key: getattr(scheduler, key) for key in SCHEDULER_KEYS}
    used = [key for key in SCHEDULER_KEYS if scheduler.method in SCHEDULER_KEYS[key]]
    for key, value in given.items():
        if key not in used and value not in (None, *_OLD_DEFAULTS.get(key, ())):
            allowed = f"it takes {', '.join([*used, 'max'])}"
            document.add(("scheduler", key), f"method {scheduler.method} takes no {key}", allowed)
    spec = partial.spec
    endless = spec.budget.open_ended and spec.search.method not in ("grid", "list")
    if scheduler.method == "top_after" and endless:
        problem = "top_after trains the best to their end when no new trials come, and no number of trials is set"
        document.add(("scheduler", "method"), problem, "budget.trials as well, or another method")
    asks = scheduler.method != "auto" or any(given[key] is not None for key in used)
    if scheduler.method == "none" or (longest is None and not asks):
        return
    if longest is None:
        length = (declaration.length if declaration else "") or "epochs"
        problem = f"{scheduler.method} does not know how long a full training is"
        document.add(("scheduler",), problem, f"scheduler.max: the last step; or a value for {length}")
    elif (scheduler.grace_period or 1) >= longest:
        problem = f"grace_period {scheduler.grace_period or 1} leaves no step to stop at: a training has {longest}"
        document.add(("scheduler", "grace_period"), problem, f"below {longest}")
