"""What has lost its sense by a change: parameters whose condition can hold no more, constraints on what is gone."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator

from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange, apply_change
from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.space import Space
from orchestrator.spec.model import Spec

DRAWS = 500
"""A parameter that none of so many random configurations has counts as one that is never there."""


def prune(plain: PlainSpec, *, keep: Collection[str] = ()) -> tuple[PlainSpec, list[SpecChange]]:
    """The spec without what has lost its sense, and what that was.

    Args:
        plain: The spec.
        keep: Parameters that were there in good trials: their conditions may hold seldom, but they do.
    """
    made: list[SpecChange] = []
    while (found := next(_senseless(plain, keep), None)) is not None:
        plain = apply_change(plain, found)
        made.append(found)
    return plain, made


def _senseless(plain: PlainSpec, keep: Collection[str]) -> Iterator[SpecChange]:
    names = {*plain["space"], *plain.get("fixed", {})}
    for name, distribution in plain["space"].items():
        if "when" in distribution and not _parses(distribution["when"], names):
            yield _gone(name, distribution["when"])
    left = [text for text in plain.get("constraints", ()) if _parses(text, names)]
    if left != plain.get("constraints", []):
        gone = " and ".join(repr(text) for text in plain["constraints"] if text not in left)
        yield SpecChange(edits={("constraints",): left or None}, reason=f"without the constraint {gone}")
    for name in _never_there(plain):
        if name not in keep:
            yield _gone(name, plain["space"][name]["when"])


def _gone(name: str, condition: str) -> SpecChange:
    return SpecChange(edits={("space", name): None}, reason=f"without {name}: {condition!r} never holds now")


def _parses(text: str, names: set[str]) -> bool:
    try:
        Expression.parse(text, names)
    except ExpressionError:
        return False
    return True


def _never_there(plain: PlainSpec) -> list[str]:
    conditional = {name for name, distribution in plain["space"].items() if "when" in distribution}
    if not conditional:
        return []
    spec = Spec.model_validate(plain)
    space, rng = Space(spec.space, (), spec.fixed), random.Random(0)
    for _ in range(DRAWS):
        try:
            conditional -= space.sample(rng).keys()
        except EvaluationError:
            return []
        if not conditional:
            break
    return [name for name in plain["space"] if name in conditional]
