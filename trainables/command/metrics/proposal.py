"""Proposes a pattern for a program that prints its metrics for people: ``loss: 0.5 - val_loss=0.4``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trainables.command.metrics.pattern import reader

PAIRS = r"(?P<name>[\w./-]+)\s*[=:]\s*(?P<value>[-+.\w]+)"
"""A name and a number after a colon or an equals sign, wherever they are in a line."""

_VALUE = r"[-+.\w]+"
_DIGITS = r"\d+"
_NUMBER = r"(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|[-+]?inf)(?![\w/])"
_MARK = r"\s*[=:]?\s*"  # between a name and its number
_STEP = re.compile(rf"(?<![a-z])(global[ _]step|step|epoch|iteration|iter)({_MARK}[\[(#]?\s*)(\d+)", re.IGNORECASE)
_KEYS = {"iter": "iteration"}
_WRITTEN = dict.fromkeys(("val", "valid", "validation"), "val(?:id(?:ation)?)?") | dict.fromkeys(
    ("acc", "accuracy"), "acc(?:uracy)?"
)
"""Other ways to write a word of a metric's name."""


def proposed_pattern(lines: Iterable[str], objective: str) -> str:
    """A pattern by which the lines have the objective; "" if none that is known fits."""
    seen = list(lines)
    read = reader(PAIRS)
    if any(objective in read(line) for line in seen):
        return PAIRS
    return next((pattern for line in seen if (pattern := _of_objective(line, objective))), "")


def _of_objective(line: str, objective: str) -> str:
    """A pattern for the objective, as ``val_loss`` in ``step 5: train loss 0.5, val loss 0.4``, and for the step before
    it; "" if the line does not have them."""
    if not objective.isidentifier():
        return ""
    words = r"[\s_./-]*".join(_WRITTEN.get(word, re.escape(word)) for word in objective.lower().split("_") if word)
    for found in re.finditer(rf"(?<!\w)({words})({_MARK}){_NUMBER}", line, re.IGNORECASE):
        before = line[: found.start()]
        if before.rstrip()[-1:].isalpha():
            continue  # a part of a longer name
        pattern = _named(found[1], found[2], objective, _VALUE)
        if steps := list(_STEP.finditer(before)):
            name, mark, _ = steps[-1].groups()
            key = name.lower().replace(" ", "_")
            pattern = f"{_named(name, mark, _KEYS.get(key, key), _DIGITS)}.*{pattern}"
        if objective in reader(pattern)(line):
            return pattern
    return ""


def _named(written: str, mark: str, name: str, value: str) -> str:
    """The pattern of a number, as it is written: its name, a mark, and the number."""
    words = r"\s+".join(map(re.escape, written.split()))
    between = r"\s*".join(["", *map(re.escape, mark.split()), ""]) if mark.strip() else r"\s+"
    return f"{words}{between}(?P<{name}>{value})"


def line_of_spec(pattern: str) -> str:
    """The line of a spec that has the pattern."""
    return f"output: {{pattern: '{pattern}'}}"
