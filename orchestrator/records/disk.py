"""How a file is replaced so that nobody ever sees half of it: five operations, that tests make fail."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import RecordsError


class Disk:
    """The operations on the file system by which records are written."""

    def open(self, path: Path) -> BinaryIO:
        """Create a file, or empty it."""
        return path.open("wb")

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        """Write all of the data."""
        file.write(data)
        file.flush()

    def sync(self, file: BinaryIO) -> None:
        """Return when the file's content has reached the disk."""
        os.fsync(file.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Put a file in the place of another, in one step."""
        source.replace(target)

    def sync_directory(self, directory: Path) -> None:
        """Return when the directory's names have reached the disk."""
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DISK = Disk()
"""The real one."""


def hidden(path: Path) -> Path:
    """Where a file is written before its rename to ``path``. No reader looks at names with a leading dot."""
    return path.with_name(f".{path.name}.tmp")


def replace_file(path: Path, data: bytes | memoryview, disk: Disk = DISK) -> None:
    """Put ``data`` at ``path``: a hidden file, synced, renamed, its directory synced.

    Raises:
        RecordsError: An operation failed. The file is the old one, or the new one if the last sync failed.
    """
    try:
        try:
            with disk.open(hidden(path)) as file:
                disk.write(file, data)
                disk.sync(file)
            disk.rename(hidden(path), path)
        except OSError:
            with contextlib.suppress(OSError):  # on a full disk the half-written file is in the way
                hidden(path).unlink(missing_ok=True)
            raise
        disk.sync_directory(path.parent)
    except OSError as error:
        raise RecordsError(f"cannot write {path}: {error.strerror or error}") from error
