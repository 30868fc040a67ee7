"""Conditions, constraints and formulas: Python expressions restricted to arithmetic, comparison and logic.

A spec may come from somebody else, so its text is never executed: ``grammar.py`` checks the syntax tree, and this
module evaluates it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from orchestrator.errors import UserError
from orchestrator.expressions.grammar import parsed
from orchestrator.expressions.operators import ARITHMETIC, COMPARISON, FUNCTIONS, SIGNS, number


class EvaluationError(UserError):
    """The expression is valid, but cannot be evaluated for these values: 1 / 0, or 'sgd' < 1."""

    code = "expression-failed"

    def __init__(self, expression: Formula, values: Mapping[str, Any], reason: str) -> None:
        self.expression = expression
        seen = ", ".join(f"{name} = {values[name]!r}" for name in sorted(expression.names) if name in values)
        self.problem = f"{expression.text!r} cannot be evaluated" + (f" for {seen}" if seen else "") + f": {reason}"
        super().__init__(self.problem)


@dataclass(frozen=True, slots=True)
class Formula:
    """The computation of a value: a number, a text, or true or false. Two are equal if their texts are."""

    text: str
    names: frozenset[str] = field(compare=False)  # the names it uses
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Self:
        """Parse and check a text; evaluating the result can then only fail because of values.

        Raises:
            ExpressionError: The text is not an expression, or uses a name that is not in ``names``.
        """
        return cls(text, *parsed(text, names, value=True))

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value.

        Raises:
            EvaluationError: It cannot be computed for these values.
            KeyError: It needs a name that ``values`` does not contain.
        """
        try:
            return _value(self.tree, values)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise EvaluationError(self, values, str(error)) from None

    def compared_words(self) -> Iterator[tuple[str, str]]:
        """The (name, word) of every ``name == 'word'`` and ``name in ['word']``, to check the words for typos."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
                options = node.comparators[0]
                for option in options.elts if isinstance(options, ast.List | ast.Tuple) else [options]:
                    if isinstance(option, ast.Constant) and isinstance(option.value, str):
                        yield node.left.id, option.value


@dataclass(frozen=True, slots=True)
class Expression(Formula):
    """A condition on parameters: a formula that is true or false."""

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Self:
        """As for a formula.

        Raises:
            ExpressionError: The text is not a condition, or uses a name that is not in ``names``.
        """
        return cls(text, *parsed(text, names))

    def evaluate(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition holds. ``values`` must contain all of its names.

        Raises:
            EvaluationError: The condition cannot be evaluated for these values.
        """
        return bool(Formula.evaluate(self, values))


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, values) for item in items]
        case ast.BoolOp(op=op, values=parts):
            decide = all if isinstance(op, ast.And) else any
            return decide(_value(part, values) for part in parts)
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, values)
            return not value if isinstance(op, ast.Not) else SIGNS[type(op)](number(value))
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](number(_value(left, values)), number(_value(right, values)))
        case ast.Compare():
            return _holds(node, values)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, values) else orelse, values)
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name].compute(*(number(_value(each, values)) for each in args))
    raise AssertionError(f"unchecked node {node!r}")


def _holds(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _value(node.left, values)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, values)
        if not COMPARISON[type(op)](left, right):
            return False
        left = right
    return True
