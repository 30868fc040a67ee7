"""What a spec must mean beside being well-formed: names exist, bounds fit, something can be drawn.

Each check notes its mistakes in the document and passes over what is broken anyway: one slip is told once.
"""

from __future__ import annotations

from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.probing import check_by_drawing
from orchestrator.space.space import CircleError, Space
from orchestrator.spec.max_step import max_step
from orchestrator.spec.partial_spec import Draft
from orchestrator.suggestions import did_you_mean
from orchestrator.yaml.document import Path
from trainables.contract import RESERVED, Declaration


def check_meaning(draft: Draft) -> None:
    """Note everything that is wrong with the parts that are well-formed, whatever is trained."""
    _check_presence(draft)
    _check_metric(draft)
    space = _checked_space(draft)
    if space is not None:
        check_by_drawing(draft.document, space)
        _check_configs(draft, space)
        _check_grid(draft, space)


def _check_presence(draft: Draft) -> None:
    spec, document = draft.spec, draft.document
    for name in draft.searched_names():
        if name in draft.fixed_names():
            path = draft.searched_path(name)
            document.add(path, f"{name} is fixed as well", f"take it out of fixed or out of {path[0]}")
    if not draft.sound("search"):
        return
    listed = spec.search.method == "list"
    if listed and not spec.search.configs:
        document.add(("search", "configs"), "method list has no configurations", "a list, or the path of a CSV file")
    if not listed and spec.search.configs is not None:
        allowed = "method: list, or start for what is tried first"
        document.add(("search", "configs"), f"method {spec.search.method} takes no configs", allowed)
    if spec.search.repeats > 1 and spec.search.method not in ("list", "grid"):
        allowed = "methods list and grid do; the others propose no configuration twice"
        document.add(("search", "repeats"), f"method {spec.search.method} takes no repeats", allowed)
    if not listed and draft.sound("space") and not spec.space:
        document.add(("space",), "there is nothing to search", "as in space: {lr: {loguniform: [1e-4, 1e-1]}}")


def _check_metric(draft: Draft) -> None:
    metric = draft.spec.objective.metric
    if metric in RESERVED:
        problem = f"{metric!r} is a column of the records, so no metric can be called so"
        draft.document.add(("objective", "metric"), problem, "what the trainable reports, as in val_loss")


def _checked_space(draft: Draft) -> Space | None:
    """The space; None if one of its expressions or distributions is broken."""
    spec, document = draft.spec, draft.document
    sound = draft.sound("space") and draft.sound("fixed") and draft.sound("search")
    for index, text in enumerate(spec.constraints):
        sound &= _parses(draft, ("constraints", index), text)
    for name, distribution in spec.space.items():
        sound &= distribution.when is None or _parses(draft, ("space", name, "when"), distribution.when)
    if not sound:
        return None
    try:
        return spec.parameter_space()
    except CircleError as circle:
        document.add(("space", circle.names[0], "when"), str(circle), "a condition on a parameter that is always there")
    return None


def _parses(draft: Draft, path: Path, text: str) -> bool:
    try:
        expression = Expression.parse(text, [*draft.searched_names(), *draft.fixed_names()])
    except ExpressionError as error:
        draft.document.add(path, error.problem, error.allowed)
        return False
    for name, word in expression.compared_words():
        distribution = draft.spec.space.get(name)
        options = None if distribution is None or distribution.kind != "str" else distribution.values()
        if options is not None and word not in options:
            draft.document.add(path, f"{name} is never {word!r}", did_you_mean(word, options))
            return False
    return True


def _check_configs(draft: Draft, space: Space) -> None:
    search = draft.spec.search
    configs = search.configs if isinstance(search.configs, list) else []
    for key, given in (("start", search.start), ("configs", configs)):
        for index, config in enumerate(given):
            path: Path = ("search", key, index)
            try:
                for name, problem, allowed in space.complete(config):
                    draft.document.add((*path, name) if name else path, problem, allowed)
            except EvaluationError as error:
                draft.document.add(path, error.problem)


def _check_grid(draft: Draft, space: Space) -> None:
    if draft.spec.search.method != "grid":
        return
    for name, distribution in space.parameters.items():
        if distribution.values() is None:
            problem = f"{distribution.form} has infinitely many values, and method grid takes them all"
            bounded = distribution.numeric is not None
            draft.document.add(
                ("space", name), problem, "add a step:, or use grid: [...]" if bounded else "use grid: [...]"
            )


def check_scheduler(draft: Draft, declaration: Declaration | None) -> None:
    """asha, where it is written, has to know the length of a training."""
    scheduler = draft.spec.scheduler
    if scheduler is None or scheduler.method != "asha":
        return
    if not all(map(draft.sound, ("scheduler", "fixed", "space", "search"))):
        return
    longest = max_step(draft.spec, declaration)
    document = draft.document
    if longest is None:
        length = (declaration.length if declaration else "") or "epochs"
        problem = "asha does not know how long a full training is"
        document.add(("scheduler",), problem, f"scheduler.max: the last step; or a value for {length}")
    elif (scheduler.grace_period or 1) >= longest:
        problem = f"grace_period {scheduler.grace_period or 1} leaves no step to stop at: a training has {longest}"
        document.add(("scheduler", "grace_period"), problem, f"below {longest}")
