"""Puts a page into a file, in one step, and over nothing but an earlier page."""

from __future__ import annotations

from pathlib import Path

from orchestrator.analysis.report.page import is_report
from orchestrator.errors import UserError
from trainables.checkpoints import files

HEAD_BYTES = 1024
"""So early in a file of ours it says what it is."""


def write(target: Path, page: str) -> None:
    """Write the page: whoever reads the file sees all of it, or what was there before.

    Raises:
        UserError: Another file has that name, or it cannot be written.
    """
    try:
        if target.exists() and not _is_ours(target):
            raise UserError(f"{target} exists and is no report of a sweep: it is not overwritten")
        with files.replacing(target) as hidden:
            hidden.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}") from error


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_report(file.read(HEAD_BYTES))
