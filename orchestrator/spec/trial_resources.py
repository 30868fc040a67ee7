"""The resources of a trial that depend on its configuration: formulas under `resources`, as in `gpu: "2 * layers"`."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.expressions.expression import EvaluationError, Formula
from orchestrator.formatting import shown
from orchestrator.space.space import Space
from orchestrator.space.values import Config, is_number
from orchestrator.spec.model import Spec
from orchestrator.spec.quantities import memory_bytes, whole_or_share

GRAIN = 10_000
"""Amounts are rounded down to multiples of 1 / GRAIN, the resolution of Ray's resources. Ray rounds to nearest: of
trials with a sixth of a GPU each, rounded up, only five would fit."""

DRAWN = 200
"""How many configurations are drawn to see which resources the trials of a sweep ask for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What one rank of a trial asks for. None: as the spec says for all trials."""

    cpus: float | None = None
    gpus: float | None = None
    memory: float | None = None  # bytes
    ranks: int = 1

    @property
    def all_gpus(self) -> float | None:
        """GPUs of all ranks."""
        return None if self.gpus is None else self.ranks * self.gpus


AS_ALL = Asked()


class TrialResources:
    """Computes what a trial asks for.

    Attributes:
        formulas: By the key of ``resources``; empty if all trials ask for the same.
    """

    def __init__(self, spec: Spec, space: Space) -> None:
        """Parse the formulas.

        Args:
            spec: The spec.
            space: Its space.

        Raises:
            ExpressionError: Never for a checked spec.
        """
        self._space = space
        self._ranks = spec.resources.workers
        self._listed = spec.search.configs if spec.search.method == "list" else None
        names = (*space.parameters, *space.fixed, *(space.derived.formulas if space.derived is not None else ()))
        self.formulas = {key: Formula.parse(text, names) for key, text in spec.resources.formulas.items()}

    def of(self, config: Config) -> Asked:
        """What a trial with these searched values asks for.

        Raises:
            EvaluationError: A formula cannot be computed for this configuration, or gives no such amount.
        """
        if not self.formulas:
            return AS_ALL
        values = self._space.given(config)
        amounts = {key: _amount(key, formula, values) for key, formula in self.formulas.items()}
        return Asked(cpus=amounts.get("cpu"), gpus=amounts.get("gpu"), memory=amounts.get("memory"), ranks=self._ranks)

    def drawn(self) -> list[tuple[Config, Asked]]:
        """Configurations and what they ask for: all of a list or a small space, else random ones, always the same.

        Those for which a formula fails are left out. A single one if all trials ask for the same.
        """
        found: list[tuple[Config, Asked]] = []
        for config in self.configs() if self.formulas else ():
            with suppress(EvaluationError):
                found.append((config, self.of(config)))
        return found or [({}, AS_ALL)]

    def configs(self) -> Iterator[Config]:
        """Such configurations, those for which a formula fails included."""
        space, rng = self._space, random.Random(0)
        if isinstance(self._listed, list):
            yield from map(space.canonical, self._listed)
            return
        cells = list(itertools.islice(space.cells() or (), DRAWN + 1))
        if 0 < len(cells) <= DRAWN:
            yield from rng.sample(cells, len(cells))
            return
        for _ in range(DRAWN):
            with suppress(EvaluationError):
                config = space.sample(rng)
                if space.feasible(config):
                    yield config


def threads(spec: Spec, asked: Asked) -> int:
    """The torch threads of a rank: as many as its CPUs."""
    cpus = spec.resources.cpu if asked.cpus is None else asked.cpus
    return 1 if isinstance(cpus, str) else threads_of(cpus)


def threads_of(cpus: float) -> int:
    """The torch threads of a rank with so many CPUs."""
    return max(1, int(cpus))


def _amount(key: str, formula: Formula, values: Mapping[str, Any]) -> float:
    try:
        amount = formula.evaluate(values)
    except KeyError as error:
        raise EvaluationError(formula, values, f"this configuration has no {error.args[0]}") from None
    if key == "memory" and isinstance(amount, str):
        with suppress(ValueError):
            amount = memory_bytes(amount)
    if not is_number(amount) or not _possible(key, amount):
        raise EvaluationError(formula, values, f"{shown(amount)} is not {_ALLOWED[key]}")
    return math.floor(float(amount) * GRAIN + 1e-6) / GRAIN


def _possible(key: str, amount: float) -> bool:
    match key:
        case "gpu":
            return amount >= 0 and whole_or_share(amount)
        case "memory":
            return amount > 0
        case _:
            return amount >= 0


_ALLOWED = {
    "cpu": "a number of CPUs, which is 0 or more",
    "gpu": "a number of GPUs, which is a whole number, or a fraction below 1",
    "memory": "a size of memory, as in 4e9 or '4GB'",
}
