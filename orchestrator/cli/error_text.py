"""Errors as people read them: a sentence; for a spec each mistake with its place, and how many there are."""

from __future__ import annotations

import sys

from orchestrator.cli.formats import painted
from orchestrator.errors import Mistake, SpecError, SweepError
from orchestrator.formatting import count


def error_text(error: SweepError) -> str:
    """What is said of an error on stderr."""
    if isinstance(error, SpecError):
        return "\n".join([*map(_block, error.mistakes), "", _red(_sum(error.mistakes))])
    return _red("error: ") + str(error)


def _block(mistake: Mistake) -> str:
    place = painted(str(mistake.place), "cyan", sys.stderr)
    key = f"  {painted(mistake.key, None, sys.stderr, bold=True)}" if mistake.key else ""
    allowed = f"\n    {mistake.allowed}" if mistake.allowed else ""
    return f"{place}{key}\n    {mistake.problem}{allowed}"


def _sum(mistakes: tuple[Mistake, ...]) -> str:
    files = {mistake.place.file for mistake in mistakes if mistake.place.file}
    return count(len(mistakes), "mistake") + (f" in {files.pop()}" if len(files) == 1 else "")


def _red(text: str) -> str:
    return painted(text, "red", sys.stderr)
