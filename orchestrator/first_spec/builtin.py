"""Proposes a spec for a built-in trainable, from the ranges that it declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import OptionsError
from orchestrator.first_spec.draft import Draft, Proposed
from orchestrator.spec.load_trainable import declared
from orchestrator.suggestions import suggestion
from trainables import BUILTIN
from trainables.declaration import REQUIRED, Hyperparameter

TRIALS = 40
"""Trials of the proposed budget."""


def from_builtin(name: str) -> Draft:
    """A first spec: what must be given, the most important hyperparameters to be searched, and the others as remarks.

    Raises:
        OptionsError: There is no such built-in trainable.
    """
    if name not in BUILTIN:
        hint = suggestion(name, BUILTIN) or f"one of {', '.join(BUILTIN)}"
        raise OptionsError(f"--builtin: there is no built-in trainable {name!r}; {hint}")
    declaration = declared(name, Path.cwd())
    assert declaration is not None, "a built-in is declared"
    known = declaration.hyperparameters
    fixed = {each.name: _fixed(each) for each in known if each.default is REQUIRED or each.name == declaration.length}
    searched = {each.name: each for each in known if each.search is not None}
    return Draft(
        source=f"the built-in trainable {name}",
        runs=("trainable", Proposed(value=name, remark=declaration.summary.removesuffix("."))),
        fixed=fixed,
        space={each: _searched(h) for each, h in searched.items() if h.first},
        later={each: _searched(h) for each, h in searched.items() if not h.first},
        objective=Proposed(value={"metric": declaration.curves[-1], "mode": "min"}),
        sections={"budget": Proposed(value={"trials": TRIALS})},
    )


def _fixed(hyperparameter: Hyperparameter) -> Proposed:
    if hyperparameter.default is not REQUIRED:
        return Proposed(value=hyperparameter.default, remark=hyperparameter.meaning)
    return Proposed(value=f"your_{hyperparameter.name}", remark=hyperparameter.meaning)


def _searched(hyperparameter: Hyperparameter) -> Proposed:
    distribution: Mapping[str, Any] = hyperparameter.search or {}
    return Proposed(value=dict(distribution), remark=hyperparameter.meaning)
