"""Removes what a change left without effect: parameters whose condition never holds, constraints on removed ones."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator

from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange, apply_change
from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.space import Space
from orchestrator.spec.model import Spec

DRAWS = 500
"""A conditional parameter that none of this many random configurations has is removed."""


def prune(plain: PlainSpec, *, keep: Collection[str] = ()) -> tuple[PlainSpec, list[SpecChange]]:
    """Remove what has no effect any more, and return the spec with the changes made.

    Args:
        plain: The spec.
        keep: Parameters of good trials, which stay even if their conditions rarely hold.
    """
    made: list[SpecChange] = []
    while (found := next(_without_effect(plain, keep), None)) is not None:
        plain = apply_change(plain, found)
        made.append(found)
    return plain, made


def _without_effect(plain: PlainSpec, keep: Collection[str]) -> Iterator[SpecChange]:
    names = {*plain["space"], *plain.get("fixed", {}), *plain.get("derived", {})}
    for name, distribution in plain["space"].items():
        if "when" in distribution and not _parses(distribution["when"], names):
            yield _gone(name, distribution["when"])
    left = [text for text in plain.get("constraints", ()) if _parses(text, names)]
    if left != plain.get("constraints", []):
        gone = " and ".join(repr(text) for text in plain["constraints"] if text not in left)
        yield SpecChange(edits={("constraints",): left or None}, reason=f"removed the constraint {gone}")
    for name in _never_there(plain):
        if name not in keep:
            yield _gone(name, plain["space"][name]["when"])


def _gone(name: str, condition: str) -> SpecChange:
    return SpecChange(edits={("space", name): None}, reason=f"removed {name}: {condition!r} never holds any more")


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
