"""Proposes a pattern for a program that prints its metrics for people: ``loss: 0.5 - val_loss=0.4``."""

from __future__ import annotations

from collections.abc import Iterable

from trainables.command.metrics.pattern import reader

PAIRS = r"(?P<name>[\w./-]+)\s*[=:]\s*(?P<value>[-+.\w]+)"
"""A name and a number after a colon or an equals sign, wherever they are in a line."""


def proposed_pattern(lines: Iterable[str], objective: str) -> str:
    """A pattern by which the lines have the objective; "" if none that is known fits."""
    read = reader(PAIRS)
    return PAIRS if any(objective in read(line) for line in lines) else ""


def line_of_spec(pattern: str) -> str:
    """The line of a spec that has the pattern."""
    return f"output: {{pattern: '{pattern}'}}"
