"""Which texts are expressions: every node of the syntax tree must be on a short list.

What the language cannot say, it cannot do; so nothing here is ever given to ``eval``.
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
    """The text is no expression we evaluate."""

    def __init__(self, problem: str, allowed: Allowed = "") -> None:
        self.problem = problem
        self.allowed = allowed
        super().__init__(f"{problem} ({allowed})" if allowed else problem)


def parsed(text: str, names: Collection[str]) -> tuple[ast.expr, frozenset[str]]:
    """The tree of a condition, and which of the names it reads.

    Raises:
        ExpressionError: It is no condition in our language, or reads a name that is not among ``names``.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"{len(text)} characters are too many for an expression", f"at most {MAX_LENGTH}")
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
        raise ExpressionError(f"{text!r} is no expression{_at(error.offset)}: {error.msg}", _slip(text)) from None
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
            if type(node.op) not in ARITHMETIC:
                raise _not_allowed(node, text)
            children = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for op, option in zip(ops, comparators, strict=True):
                if type(op) not in COMPARISON:
                    raise ExpressionError(f"'is' in {text!r} is not allowed", "write '=='")
                if isinstance(op, ast.In | ast.NotIn) and not isinstance(option, ast.List | ast.Tuple):
                    raise ExpressionError(f"'in' of {text!r} needs a list", "as in: optimizer in ['sgd', 'adam']")
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
