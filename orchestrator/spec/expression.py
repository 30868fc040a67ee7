"""Conditions and constraints: Python's expressions, cut down to arithmetic and comparison.

A spec may come from a colleague, so an expression is never given to ``eval``: it is parsed once, every
node of its tree must be on a short list, and numbers cannot grow without bound.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import UserError
from orchestrator.spec.nearest import did_you_mean

MAX_LENGTH = 500
MAX_DEPTH = 100
_MAX_BITS = 1024  # of an integer power's result; a float ends there as well
_LANGUAGE = "+ - * / // % **, comparisons, and, or, not, in [...]"

_Operation = Callable[[Any, Any], Any]


class ExpressionError(ValueError):
    """The text is no expression we evaluate."""

    def __init__(self, problem: str, allowed: str = "") -> None:
        self.problem = problem
        self.allowed = allowed
        super().__init__(f"{problem} ({allowed})" if allowed else problem)


class EvaluationError(UserError):
    """The expression is sound, but not for these values: 1 / 0, or 'sgd' < 1."""

    def __init__(self, expression: Expression, values: Mapping[str, Any], reason: str) -> None:
        self.expression = expression
        seen = ", ".join(f"{name} = {values[name]!r}" for name in sorted(expression.names) if name in values)
        self.problem = (
            f"{expression.text!r} cannot be evaluated" + (f" for {seen}" if seen else "") + f": {reason}"
        )
        super().__init__(self.problem)


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if abs(exponent) * max(1, base.bit_length()) > _MAX_BITS:
            raise ValueError(f"{base} ** {exponent} is too large")
    elif base < 0 and not float(exponent).is_integer():
        raise ValueError(f"{base} ** {exponent} is no real number")
    return base**exponent


_ARITHMETIC: Mapping[type[ast.operator], _Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_COMPARISON: Mapping[type[ast.cmpop], _Operation] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, options: value in options,
    ast.NotIn: lambda value, options: value not in options,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition over parameters. Two are equal if their texts are."""

    text: str
    names: frozenset[str] = field(compare=False)  # the names it reads
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Expression:
        """Check a text once, so that evaluating it can only fail on values.

        Raises:
            ExpressionError: It is no condition in our language, or reads a name that is not among ``names``.
        """
        if len(text) > MAX_LENGTH:
            raise ExpressionError(
                f"{len(text)} characters are too many for an expression", f"at most {MAX_LENGTH}"
            )
        tree = _syntax_tree(text)
        used = set(_checked_names(tree, text, names, MAX_DEPTH))
        if not _is_condition(tree):
            raise ExpressionError(
                f"{text!r} is a value, not a condition", "compare it, as in 'layers * width <= 512'"
            )
        return cls(text, frozenset(used), tree)

    def evaluate(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition holds. Every one of its names must be in ``values``.

        Raises:
            EvaluationError: It has no answer for these values.
        """
        try:
            return bool(_value(self.tree, values))
        except (ArithmeticError, TypeError, ValueError) as error:
            raise EvaluationError(self, values, str(error)) from None

    def compared_words(self) -> Iterator[tuple[str, str]]:
        """The (name, word) of every ``name == 'word'`` and ``name in ['word']``: where a typo would hide."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
                options = node.comparators[0]
                for option in options.elts if isinstance(options, ast.List | ast.Tuple) else [options]:
                    if isinstance(option, ast.Constant) and isinstance(option.value, str):
                        yield node.left.id, option.value


def _syntax_tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" and the like
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(
            f"{text!r} is no expression{_at(error.offset)}: {error.msg}", _slip(text)
        ) from None
    except (
        ValueError,
        MemoryError,
        RecursionError,
    ):  # null characters; nesting that overflows Python's parser
        raise ExpressionError(f"{text!r} is no expression", _LANGUAGE) from None


def _slip(text: str) -> str:
    """The likely cause of a syntax error."""
    for wrong, right in (("&&", "and"), ("||", "or"), ("<>", "!=")):
        if wrong in text:
            return f"write {right!r} for {wrong!r}"
    bare = text
    for sign in ("==", "!=", "<=", ">="):
        bare = bare.replace(sign, "")
    if "=" in bare:
        return "write '==' to compare"
    return "write 'not' for '!'" if "!" in bare else _LANGUAGE


def _at(offset: int | None) -> str:
    return f" at character {offset}" if offset else ""


def _checked_names(node: ast.expr, text: str, names: Collection[str], depth: int) -> Iterator[str]:
    """The names a tree reads; raises if any of its nodes is not on the list."""
    if depth == 0:
        raise ExpressionError("the expression is nested too deeply", f"at most {MAX_DEPTH} levels")
    children: list[ast.expr] = []
    match node:
        case ast.Name(id=name):
            if name not in names:
                problem = f"unknown name {name!r}{_at(node.col_offset + 1)} of {text!r}"
                raise ExpressionError(problem, did_you_mean(name, names))
            yield name
        case ast.Constant(value=bool() | int() | float() | str() | None):
            pass
        case ast.List(elts=children) | ast.Tuple(elts=children) | ast.BoolOp(values=children):
            pass
        case ast.UnaryOp(operand=operand):
            if not isinstance(node.op, ast.Not | ast.USub | ast.UAdd):
                raise _not_allowed(node, text)
            children = [operand]
        case ast.BinOp(left=left, right=right):
            if type(node.op) not in _ARITHMETIC:
                raise _not_allowed(node, text)
            children = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for op, option in zip(ops, comparators, strict=True):
                if type(op) not in _COMPARISON:
                    raise ExpressionError(f"'is' in {text!r} is not allowed", "write '=='")
                if isinstance(op, ast.In | ast.NotIn) and not isinstance(option, ast.List | ast.Tuple):
                    raise ExpressionError(
                        f"'in' of {text!r} needs a list", "as in: optimizer in ['sgd', 'adam']"
                    )
            children = [left, *comparators]
        case _:
            raise _not_allowed(node, text)
    for child in children:
        yield from _checked_names(child, text, names, depth - 1)


def _not_allowed(node: ast.expr, text: str) -> ExpressionError:
    part = ast.get_source_segment(text.strip(), node) or text
    return ExpressionError(f"{part!r}{_at(node.col_offset + 1)} of {text!r} is not allowed", _LANGUAGE)


def _is_condition(node: ast.expr) -> bool:
    match node:
        case ast.BoolOp(values=values):
            return all(_is_condition(value) for value in values)
        case ast.Constant(value=value):
            return isinstance(value, bool)
        case ast.UnaryOp(op=op):
            return isinstance(op, ast.Not)
        case _:
            return isinstance(node, ast.Compare | ast.Name)


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
            return not value if isinstance(op, ast.Not) else _SIGNS[type(op)](_number(value))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(_value(left, values)), _number(_value(right, values)))
        case ast.Compare():
            return _holds(node, values)
    raise AssertionError(f"unchecked node {node!r}")


def _holds(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _value(node.left, values)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, values)
        if not _COMPARISON[type(op)](left, right):
            return False
        left = right
    return True


def _number(value: Any) -> Any:
    """The value, if one can calculate with it: 'a' * 10**9 would be a memory full of a."""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return value
