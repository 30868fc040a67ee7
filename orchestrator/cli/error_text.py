"""Errors as text: a sentence, each mistake of a spec with its place, or how to report a bug."""

from __future__ import annotations

import sys

from cluster.ray_private.versions import SUPPORTED, installed, was_tested
from orchestrator.cli.formats import painted
from orchestrator.cli.views.text import one_line
from orchestrator.errors import Mistake, SpecError, SweepError
from orchestrator.formatting import count

TRACEBACK = "SWEEP_TRACEBACK"
"""The environment variable with which internal errors print a traceback."""


def error_text(error: SweepError) -> str:
    """The text of an error that was foreseen: a sentence, or each mistake of a spec with its place."""
    if isinstance(error, SpecError):
        return "\n".join([*map(_block, error.mistakes), "", _red(_sum(error.mistakes))])
    return _red("error: ") + str(error)


def internal_error_text(error: Exception) -> str:
    """The text of an error that was not foreseen, with how to get its traceback and where to report it."""
    what = one_line(f"{type(error).__name__}: {error}").rstrip(".")
    bug = f"This is a bug.{_untested_ray()} Re-run with {TRACEBACK}=1 and report it at {_issues()}"
    return f"{_red('internal error: ')}{what}. {bug}"


def _untested_ray() -> str:
    ray = installed()
    if not ray or was_tested(ray):
        return ""
    return f" Ray {ray} may be the cause: sweep was tested with Ray {SUPPORTED} only."


def _issues() -> str:
    """The address of the issue tracker, from the metadata of the installed package."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = [entry.partition(", ") for entry in metadata("sweep-orchestrator").get_all("Project-URL") or ()]
    except PackageNotFoundError:  # a job on a cluster runs from a bare copy
        urls = []
    return next((url for label, _, url in urls if label == "Issues"), "the project's issue tracker")


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
