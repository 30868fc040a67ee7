"""Records from dictionaries of Python, as ``print(metrics)`` writes them: ``{'eval_loss': 0.5, 'epoch': 1.0}``.

The Trainer of Hugging Face prints its logs so, with numbers in quotes since version 5.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any

from trainables.command.metrics.record import Record, flat, number_in

_LONGEST = 20_000  # characters of a line: a longer one is data, not metrics
_NAMED = {"nan": math.nan, "inf": math.inf}


def read(line: str) -> Record:
    """The numbers of a line that is a dictionary; {} for any other. Texts that are numbers count, and so do scalars of
    libraries: ``np.float64(0.5)``, ``tensor(0.5, device='cuda:0')``."""
    line = line.strip()
    if not (line.startswith("{") and line.endswith("}")) or len(line) > _LONGEST:
        return {}
    try:
        tree = ast.parse(line, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return {}
    return flat(_dictionary(tree)) if isinstance(tree, ast.Dict) else {}


def _dictionary(tree: ast.Dict) -> Mapping[str, Any]:
    return {
        key.value: _value(value)
        for key, value in zip(tree.keys, tree.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _value(node: ast.expr) -> Any:
    """A number or a dictionary; None for anything else."""
    match node:
        case ast.Dict():
            return _dictionary(node)
        case ast.Constant(value=str(text)):
            return number_in(text)
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int(number) | float(number)):
            return number
        case ast.Name(id=name):
            return _NAMED.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _value(operand)
            return -number if isinstance(number, int | float) else None
        case ast.Call(args=[first, *_]):
            return _value(first)
    return None
