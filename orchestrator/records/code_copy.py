"""Keeps a copy of a sweep's code beside its records, for people and `sweep repro`: workers get it from the driver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from cluster.secret_files import is_secret
from orchestrator.code.files import CodeFile
from orchestrator.errors import RecordsError
from orchestrator.records.atomic_files import temporary_path
from orchestrator.records.plain_files import read_plain

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


def read_code(directory: Path) -> dict[str, bytes]:
    """The files of the copy, by their names from the spec's directory; none if there is no copy.

    Raises:
        RecordsError: A file cannot be read, or is no regular file.
    """
    found = {}
    for place, _, names in os.walk(directory):
        for name in names:
            path = Path(place, name)
            parts = path.relative_to(directory).parts
            try:
                source = read_plain(path, LARGEST, follow=False)
            except OSError as error:
                raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
            found["/".join(".." if part == ABOVE else part for part in parts)] = source
    return found


def _is_copied(file: CodeFile) -> bool:
    return file.kept and len(file.source) <= LARGEST and not is_secret(file.name.removeprefix("../"))
