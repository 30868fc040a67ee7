"""Keeps a copy of a sweep's code beside its records, to be read: workers get the code from the driver."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from orchestrator.code.files import CodeFile
from orchestrator.errors import RecordsError
from orchestrator.records.atomic_files import temporary_path
from orchestrator.records.provenance import MAY_HOLD_KEYS

LARGEST = 5_000_000
"""Bytes. Larger files are not copied."""

ABOVE = "_above"
"""The directory for ``..`` in the name of a file that is not below the spec's directory."""


def write_code(directory: Path, files: Iterable[CodeFile]) -> None:
    """Write a copy of the code, in place of an earlier one as a whole.

    Files that usually contain keys, files larger than LARGEST, and links that lead out of the spec's directory are left
    out.

    Args:
        directory: Where to write it. Without a file to copy, it is not there afterwards.
        files: The code.

    Raises:
        RecordsError: The copy cannot be written.
    """
    made, old = temporary_path(directory), directory.with_name(f".{directory.name}.old")
    try:
        for each in (made, old):
            shutil.rmtree(each, ignore_errors=True)
        for file in files:
            if _is_copied(file):
                path = made.joinpath(*(ABOVE if part == ".." else part for part in file.name.split("/")))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.source)
        if directory.exists():
            directory.rename(old)
        if made.exists():
            made.rename(directory)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise RecordsError(f"cannot write {directory}: {error.strerror or error}") from error


def _is_copied(file: CodeFile) -> bool:
    name = file.name.rpartition("/")[2].lower()
    return file.kept and len(file.source) <= LARGEST and not any(fnmatch(name, pattern) for pattern in MAY_HOLD_KEYS)
