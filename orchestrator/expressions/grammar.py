"""The grammar of expressions: a text is valid if every node of its syntax tree is on a short list.

No text is passed to ``eval``, so an expression can do nothing that the list does not allow.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator

from orchestrator.expressions.operators import ARITHMETIC, COMPARISON
from orchestrator.suggestions import Allowed, did_you_mean

MAX_LENGTH = 500
MAX_DEPTH = 100
_LANGUAGE = "+ - * / // % **, comparisons, and, or, not, in [...]"


class ExpressionError(ValueError):
    """The text is not a valid expression."""

    def __init__(self, problem: str, allowed: Allowed = "") -> None:
        self.problem = problem
        self.allowed = allowed
        super().__init__(f"{problem} ({allowed})" if allowed else problem)


def parsed(text: str, names: Collection[str]) -> tuple[ast.expr, frozenset[str]]:
    """The syntax tree of a condition, and the names it uses.

    Raises:
        ExpressionError: The text is not a condition, or uses a name that is not in ``names``.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text)} characters", f"at most {MAX_LENGTH}")
    tree = _syntax_tree(text)
    used = frozenset(_checked_names(tree, text, names, MAX_DEPTH))
    if not _is_condition(tree):
        raise ExpressionError(f"{text!r} is a value, not a condition", "compare it, as in 'layers * width <= 512'")
    return tree, used


def _syntax_tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" and the like
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(
            f"{text!r} is not an expression{_at(error.offset)}: {error.msg}", _likely_cause(text)
        ) from None
    except (ValueError, MemoryError, RecursionError):  # null characters; nesting too deep for Python's parser
        raise ExpressionError(f"{text!r} is not an expression", _LANGUAGE) from None


def _likely_cause(text: str) -> str:
    """The likely cause of a syntax error."""
    for wrong, right in (("&&", "and"), ("||", "or"), ("<>", "!=")):
        if wrong in text:
            return f"write {right!r} instead of {wrong!r}"
    bare = text
    for sign in ("==", "!=", "<=", ">="):
        bare = bare.replace(sign, "")
    if "=" in bare:
        return "write '==' to compare"
    return "write 'not' instead of '!'" if "!" in bare else _LANGUAGE


def _at(offset: int | None) -> str:
    return f" at character {offset}" if offset else ""


def _checked_names(node: ast.expr, text: str, names: Collection[str], depth: int) -> Iterator[str]:
    """The names that a tree uses; raises ExpressionError for the first node that is not on the list."""
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
            if type(node.op) not in ARITHMETIC:
                raise _not_allowed(node, text)
            children = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for op, option in zip(ops, comparators, strict=True):
                if type(op) not in COMPARISON:
                    raise ExpressionError(f"'is' in {text!r} is not allowed", "write '=='")
                if isinstance(op, ast.In | ast.NotIn) and not isinstance(option, ast.List | ast.Tuple):
                    raise ExpressionError(f"'in' in {text!r} needs a list", "as in: optimizer in ['sgd', 'adam']")
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
