"""Values that are computed from a configuration: `derived` in the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.expressions.expression import EvaluationError, Formula
from orchestrator.formatting import shown
from orchestrator.space.distribution import Distribution
from orchestrator.space.evaluation_order import evaluation_order
from orchestrator.space.kind_of_value import kind_of_value
from orchestrator.space.values import Kind, is_number, is_recordable, kind_of


class Derived:
    """Formulas by name, each after those that it uses.

    A value is absent where its formula comes upon an absent one, as a parameter whose condition does not hold.

    Attributes:
        formulas: By name, in the order of the spec.
        kinds: The kinds of the values.
    """

    def __init__(
        self, texts: Mapping[str, str], parameters: Mapping[str, Distribution], fixed: Mapping[str, Any]
    ) -> None:
        """Parse every formula.

        Raises:
            ExpressionError: One is not an expression, or uses an unknown name.
            CycleError: They need each other.
        """
        names = [*parameters, *fixed, *texts]
        self.formulas = {name: Formula.parse(text, names) for name, text in texts.items()}
        needs = {name: formula.names & texts.keys() for name, formula in self.formulas.items()}
        self._order = evaluation_order(list(texts), needs)
        kinds: dict[str, Kind] = {name: each.kind for name, each in parameters.items()}
        kinds |= {name: kind_of([value]) for name, value in fixed.items()}
        not_negative = {name for name, each in parameters.items() if each.extent is not None and each.extent[0] >= 0}
        not_negative |= {name for name, value in fixed.items() if is_number(value) and value >= 0}
        for name in self._order:
            kinds[name] = kind_of_value(self.formulas[name], kinds, not_negative)
        self.kinds = {name: kinds[name] for name in texts}

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values for a configuration, which includes the fixed values.

        Raises:
            EvaluationError: One cannot be computed for this configuration.
        """
        known = dict(values)
        for name in self._order:
            try:
                value = self.formulas[name].evaluate(known)
            except KeyError:
                continue
            if not is_recordable(value):
                raise EvaluationError(self.formulas[name], known, f"{shown(value)} cannot be recorded exactly")
            kind = self.kinds[name]
            known[name] = float(value) if kind == "float" else int(value) if kind == "int" else value
        return {name: known[name] for name in self.formulas if name in known}
