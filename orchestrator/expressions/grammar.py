"""The grammar of expressions: a text is valid if every node of its syntax tree is on a short list.

No text is passed to ``eval``, so an expression can do nothing that the list does not allow.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator

from orchestrator.expressions.operators import ARITHMETIC, COMPARISON, FUNCTIONS
from orchestrator.suggestions import Allowed, did_you_mean

MAX_LENGTH = 500
MAX_DEPTH = 100
_LANGUAGE = f"+ - * / // % **, comparisons, and, or, not, in [...], if else, {', '.join(FUNCTIONS)}"


class ExpressionError(ValueError):
    """The text is not a valid expression."""

    def __init__(self, problem: str, allowed: Allowed = "") -> None:
        self.problem = problem
        self.allowed = allowed
        super().__init__(f"{problem} ({allowed})" if allowed else problem)


def parsed(text: str, names: Collection[str], *, value: bool = False) -> tuple[frozenset[str], ast.expr]:
    """The names that an expression uses, and its syntax tree.

    Args:
        text: The expression.
        names: The names that it may use.
        value: Whether any value may result, and not only true or false.

    Raises:
        ExpressionError: The text is not such an expression, or uses another name.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text)} characters", f"at most {MAX_LENGTH}")
    tree = _syntax_tree(text)
    used = frozenset(_checked_names(tree, text, names, MAX_DEPTH))
    if not value and not _is_condition(tree):
        raise ExpressionError(f"{text!r} is a value, not a condition", "compare it, as in 'layers * width <= 512'")
    return used, tree


def is_formula(text: str, names: Collection[str]) -> bool:
    """Whether a text reads like a computation with some of these names, as ``0.1*epochs`` does."""
    if len(text) > MAX_LENGTH:
        return False
    try:
        tree = _syntax_tree(text)
        used = any(True for _ in _checked_names(tree, text, names, MAX_DEPTH))
    except ExpressionError:
        return False
    return used and isinstance(tree, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp)


def _syntax_tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" and the like
            tree = ast.parse(text.strip(), mode="eval").body
        named: ast.expr = _DottedNames().visit(tree)
        return named
    except SyntaxError as error:
        raise ExpressionError(
            f"{text!r} is not an expression{_at(error.offset)}: {error.msg}", _likely_cause(text)
        ) from None
    except (ValueError, MemoryError, RecursionError):  # null characters; nesting too deep for Python's parser
        raise ExpressionError(f"{text!r} is not an expression", _LANGUAGE) from None


class _DottedNames(ast.NodeTransformer):
    """Makes one name of each ``optim.lr``. No attribute of anything is ever read."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            return node
        return ast.copy_location(ast.Name(id=".".join([inner.id, *reversed(parts)]), ctx=node.ctx), node)


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
        case ast.IfExp(test=test, body=body, orelse=orelse):
            children = [test, body, orelse]
        case ast.Call(func=ast.Name(id=name), args=children, keywords=[]) if name in FUNCTIONS:
            function = FUNCTIONS[name]
            if not function.least <= len(children) <= function.most:
                problem = f"{name} in {text!r} takes {function.least} to {function.most} numbers, not {len(children)}"
                raise ExpressionError(problem.replace("1 to 1 numbers", "one number"))
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            raise ExpressionError(_not_allowed(node, text).problem, did_you_mean(name, FUNCTIONS))
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
        case ast.IfExp(body=body, orelse=orelse):
            return _is_condition(body) and _is_condition(orelse)
        case _:
            return isinstance(node, ast.Compare | ast.Name)
