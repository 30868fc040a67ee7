"""Finds expressions that fail and constraints that nothing satisfies, by evaluating them on random configurations."""

from __future__ import annotations

import random

from orchestrator.expressions.expression import EvaluationError, Formula
from orchestrator.space.space import Space
from orchestrator.yaml.document import Document, Path

DRAWS = 1000
"""A constraint that none of this many random configurations meets is reported as a mistake."""

ENOUGH = 100
"""Draws that are enough once a configuration has met all constraints."""


def check_by_sampling(document: Document, space: Space) -> None:
    """Add a mistake for expressions that cannot be evaluated, and for constraints that no configuration meets."""
    if not (space.constraints or space.conditions or space.derived):
        return
    rng = random.Random(0)
    unmet = set(range(len(space.constraints)))
    feasible = False
    for draw in range(DRAWS):
        if feasible and draw >= ENOUGH:
            return
        try:
            config = space.sample(rng)
            space.complete(config)
            met = [space.holds(constraint, config) for constraint in space.constraints]
        except EvaluationError as error:
            document.add(_path(space, error.expression), error.problem)
            return
        unmet -= {index for index, holds in enumerate(met) if holds}
        feasible = feasible or all(met)
    if not feasible:
        _note_infeasible(document, space, unmet)


def _note_infeasible(document: Document, space: Space, unmet: set[int]) -> None:
    nothing, allowed = f"none of {DRAWS} random configurations meets", "widen the space, or relax the constraint"
    for index in sorted(unmet):
        document.add(("constraints", index), f"{nothing} {space.constraints[index].text!r}", allowed)
    if not unmet:
        document.add(("constraints",), f"{nothing} all of them", allowed)


def _path(space: Space, expression: Formula) -> Path:
    """The path of the expression."""
    for name, formula in space.derived.formulas.items() if space.derived is not None else ():
        if formula is expression:
            return ("derived", name)
    for name, condition in space.conditions.items():
        if condition is expression:
            return ("space", name, "when")
    return ("constraints", next(at for at, each in enumerate(space.constraints) if each is expression))
