"""Replaces files atomically, through five file operations that tests can make fail."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import RecordsError


class FileOperations:
    """The file operations with which records are written."""

    def open(self, path: Path) -> BinaryIO:
        """Create a file. What a killed writer has left there is removed; a symbolic link is not followed."""
        return open_new(path)

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        """Write all of the data."""
        file.write(data)
        file.flush()

    def sync(self, file: BinaryIO) -> None:
        """Wait until the file's content is on the disk."""
        os.fsync(file.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Replace a file by another, atomically."""
        source.replace(target)

    def sync_directory(self, directory: Path) -> None:
        """Wait until the directory's entries are on the disk."""
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_new(path: Path) -> BinaryIO:
    """Create a file in place of another of that name, which is removed, and never written to."""
    path.unlink(missing_ok=True)
    return path.open("xb")


FILE_OPERATIONS = FileOperations()
"""The real file system."""


def temporary_path(path: Path) -> Path:
    """The name under which a file is written before its rename to ``path``; readers ignore names with a leading dot."""
    return path.with_name(f".{path.name}.tmp")


def replace_file(path: Path, data: bytes | memoryview, disk: FileOperations = FILE_OPERATIONS) -> None:
    """Write ``data`` to ``path`` atomically: into a hidden file that is synced and renamed, then sync the directory.

    Raises:
        RecordsError: An operation failed. The old file is still there, or the new one if the last sync failed.
    """
    try:
        try:
            with disk.open(temporary_path(path)) as file:
                disk.write(file, data)
                disk.sync(file)
            disk.rename(temporary_path(path), path)
        except OSError:
            with contextlib.suppress(OSError):  # a partial file would take up space on a full disk
                temporary_path(path).unlink(missing_ok=True)
            raise
        disk.sync_directory(path.parent)
    except OSError as error:
        raise RecordsError(f"cannot write {path}: {error.strerror or error}") from error
