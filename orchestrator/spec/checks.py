"""Checks the meaning of a well-formed spec: names exist, bounds fit, some configuration meets the constraints.

Each check adds its mistakes to the document and skips parts that are already broken, so that one slip is reported once.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.expressions.expression import EvaluationError, Expression, Formula
from orchestrator.expressions.grammar import ExpressionError, is_formula
from orchestrator.formatting import shown
from orchestrator.space.choices import Choice, Grid
from orchestrator.space.evaluation_order import CycleError
from orchestrator.space.probing import check_by_sampling
from orchestrator.space.space import Space
from orchestrator.spec.max_step import UNDECLARED_LENGTH, max_rung
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.spec.quantities import GPU_WORDS
from orchestrator.spec.search_checks import check_search_settings
from orchestrator.spec.sections import DO_NOT_LEARN, GROW, Scheduler
from orchestrator.spec.trial_resources import TrialResources
from orchestrator.suggestions import did_you_mean
from orchestrator.yaml.document import Path
from trainables.declaration import Declaration
from trainables.report import wrong_metric_name

SCHEDULER_KEYS = {
    "unit": ("auto", "asha", "hyperband", "pasha", "median", "top_after"),
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
    _check_texts(partial)
    _check_metric(partial)
    _check_budget(partial)
    _check_workers(partial)
    computed = _formulas_are_sound(partial)
    space = _checked_space(partial)
    if space is not None:
        _check_priors(partial)
        _check_kinds(partial, space)
        check_by_sampling(partial.document, space)
        _check_configs(partial, space)
        _check_grid(partial, space)
        if computed:
            _check_amounts(partial, space)


def _check_presence(partial: PartialSpec) -> None:
    spec, document = partial.spec, partial.document
    for name in partial.searched_names():
        if name in partial.fixed_names():
            path = partial.searched_path(name)
            document.add(path, f"{name} is also in fixed", f"remove it from fixed or from {path[0]}")
    for name in partial.derived_names():
        others = {"fixed": partial.fixed_names(), "space": partial.searched_names()}
        for section in (section for section, names in others.items() if name in names):
            document.add(("derived", name), f"{name} is also in {section}", f"remove it from {section} or from derived")
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
    if spec.search.repeats > 1 and spec.trial.seed is not None:
        problem = f"all {spec.search.repeats} repeats of a configuration would have the seed {spec.trial.seed}"
        document.add(("trial", "seed"), problem, "leave out trial.seed, or search.repeats")
    check_search_settings(partial)


def check_not_empty(partial: PartialSpec, declaration: Declaration | None) -> None:
    """Add a mistake for a spec without a space, unless the trainable finds the space as it runs."""
    spec = partial.spec
    if not all(map(partial.is_valid, ("space", "search"))) or spec.space or spec.search.method == "list":
        return
    if declaration is None or not declaration.define_by_run:
        allowed = "as in space: {lr: {loguniform: [1e-4, 1e-1]}}"
        partial.document.add(("space",), "there is nothing to search", allowed)
        return
    if spec.derived:
        problem = f"{spec.trained} asks for its values by name, and for none of these"
        partial.document.add(("derived",), problem, "leave it out")
    if spec.search.method not in GROW:
        problem = f"method {spec.search.method} needs a space, and that of {spec.trained} is found as it runs"
        partial.document.add(("search", "method"), problem, ", ".join(GROW))


def _check_texts(partial: PartialSpec) -> None:
    """Values that look as if something computed them: nothing does, and the trainable would get the text."""
    spec = partial.spec
    names = {*partial.fixed_names(), *partial.searched_names(), UNDECLARED_LENGTH}
    texts: list[tuple[Path, str, object]] = [(("fixed", name), name, value) for name, value in spec.fixed.items()]
    for name, distribution in spec.space.items():
        if isinstance(distribution, Choice | Grid):
            texts += [
                (("space", name, distribution.form, at), name, each) for at, each in enumerate(distribution.options)
            ]
    for path, name, value in texts:
        if isinstance(value, str) and is_formula(value, names - {name}):
            allowed = f'a number; values that are computed from others go under derived, as in {name}: "{value}"'
            partial.document.add(path, f"{shown(value)} is a text, which is not computed", allowed)


def _check_priors(partial: PartialSpec) -> None:
    method = partial.spec.search.method
    for name, distribution in partial.spec.space.items():
        if getattr(distribution, "weights", None) is not None and method in ("grid", "list"):
            problem = f"method {method} does not use weights"
            partial.document.add(("space", name, "weights"), problem, "leave them out, or use a method that draws")
        prior, path = distribution.prior, ("space", name, "prior")
        if prior is None:
            continue
        if not distribution.contains(prior):
            partial.document.add(path, f"{shown(prior)} is not in the space", distribution.allowed(prior))
        elif method in DO_NOT_LEARN:
            allowed = "leave it out, or use a method that learns"
            partial.document.add(path, f"method {method} does not use a prior", allowed)


def _check_kinds(partial: PartialSpec, space: Space) -> None:
    for name, kind in space.derived.kinds.items() if space.derived is not None else ():
        if kind == "json":
            problem = f"{partial.spec.derived[name]!r} does not always give a value of the same type"
            partial.document.add(("derived", name), problem, "numbers only, texts only, or true and false only")


def _check_metric(partial: PartialSpec) -> None:
    metric = partial.spec.objective.metric
    if problem := wrong_metric_name(metric):
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


def _check_workers(partial: PartialSpec) -> None:
    if not partial.is_valid("resources"):
        return
    resources, document = partial.spec.resources, partial.document
    if resources.workers > 1 and resources.gpu == "packed":
        problem = f"{resources.workers} workers a trial cannot be measured together"
        document.add(("resources", "gpu"), problem, "auto, a whole number, or a fraction below 1: GPUs of each worker")
    if resources.strict and resources.workers == 1:
        document.add(("resources", "strict"), "strict does nothing with one worker", "resources.workers: 2 or more")


def _formulas_are_sound(partial: PartialSpec) -> bool:
    """Add a mistake for each formula of resources that is not one; whether there was none."""
    sound, derived = partial.is_valid("resources"), partial.derived_names()
    names = tuple(dict.fromkeys((*partial.searched_names(), *partial.fixed_names(), *derived)))
    for key, text in partial.spec.resources.formulas.items():
        path: Path = ("resources", key)
        if text.isidentifier() and text not in names:  # a misspelt word, rather than a formula
            words = (*GPU_WORDS, *names) if key == "gpu" else names
            amount = "a size, as in 4GB" if key == "memory" else "a number"
            allowed = did_you_mean(text, words, kind=f"{amount}, a formula, or one of")
            partial.document.add(path, f"unknown value {shown(text)}", allowed)
            sound = False
        else:
            sound &= _parses(partial, path, text, derived, Formula)
    return sound


def _check_amounts(partial: PartialSpec, space: Space) -> None:
    """Whether the formulas of resources give an amount for every configuration that is drawn."""
    resources = TrialResources(partial.spec, space)
    for config in resources.configs() if resources.formulas else ():
        try:
            resources.of(config)
        except EvaluationError as error:
            failing = (key for key, formula in resources.formulas.items() if formula == error.expression)
            partial.document.add(("resources", next(failing, "")), error.problem)
            return


def _checked_space(partial: PartialSpec) -> Space | None:
    """The space; None if an expression or distribution is broken."""
    spec, document = partial.spec, partial.document
    is_valid = all(map(partial.is_valid, ("space", "fixed", "derived", "search")))
    for index, text in enumerate(spec.constraints):
        is_valid &= _parses(partial, ("constraints", index), text, partial.derived_names())
    for name, text in spec.derived.items():
        others = [each for each in partial.derived_names() if each != name]
        is_valid &= _parses(partial, ("derived", name), text, others, Formula)
    for name, distribution in spec.space.items():
        is_valid &= distribution.when is None or _parses(partial, ("space", name, "when"), distribution.when)
    if not is_valid:
        return None
    try:
        return spec.parameter_space()
    except CycleError as cycle:
        if cycle.names[0] in spec.derived:
            problem = f"derived values form a cycle: {cycle}"
            document.add(("derived", cycle.names[0]), problem, "compute one of them from other values")
        else:
            problem, allowed = f"conditions form a cycle: {cycle}", "depend on a parameter without a condition"
            document.add(("space", cycle.names[0], "when"), problem, allowed)
    return None


def _parses(
    partial: PartialSpec,
    path: Path,
    text: str,
    derived: Iterable[str] = (),
    form: type[Formula] = Expression,
) -> bool:
    try:
        expression = form.parse(text, [*partial.searched_names(), *partial.fixed_names(), *derived])
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
    if not all(map(partial.is_valid, ("scheduler", "fixed", "space", "search", "trial"))):
        return
    longest = max_rung(partial.spec, declaration)
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
    if longest is None and scheduler.in_seconds:
        problem = f"{scheduler.method} does not know how many seconds a full training takes"
        document.add(("scheduler",), problem, "scheduler.max: the seconds, as in 1h; or trial.max_time")
    elif longest is None:
        length = (declaration.length if declaration else "") or "epochs"
        problem = f"{scheduler.method} does not know how long a full training is"
        document.add(("scheduler",), problem, f"scheduler.max: the last step; or a value for {length}")
    elif (scheduler.grace_period or 1) >= longest:
        document.add(("scheduler", "grace_period"), grace_period_too_long(scheduler, longest), f"below {longest}")


def grace_period_too_long(scheduler: Scheduler, longest: int) -> str:
    """What is wrong with a first rung that lies at or beyond the end of a training, in words."""
    grace_period = scheduler.grace_period or 1
    if scheduler.in_seconds:
        return f"grace_period {grace_period} s leaves no time to stop at: a training takes {longest} s"
    return f"grace_period {grace_period} leaves no step to stop at: a training has {longest}"
