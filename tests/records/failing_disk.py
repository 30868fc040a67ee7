"""A disk that fails at chosen operations."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from orchestrator.records.atomic_files import FileOperations


class FailingDisk(FileOperations):
    """Fails at the operations, counted from 0, that ``fails`` picks. A failing write leaves half the data."""

    def __init__(self, fails: Callable[[int], bool]) -> None:
        self.fails = fails
        self.count = -1

    def _operate(self) -> None:
        self.count += 1
        if self.fails(self.count):
            raise OSError(errno.ENOSPC, "No space left on device")

    def open(self, path: Path) -> BinaryIO:
        self._operate()
        return super().open(path)

    def write(self, file: BinaryIO, data: bytes) -> None:
        super().write(file, data[: len(data) // 2])
        self._operate()
        super().write(file, data[len(data) // 2 :])

    def sync(self, file: BinaryIO) -> None:
        self._operate()
        super().sync(file)

    def rename(self, source: Path, target: Path) -> None:
        self._operate()
        super().rename(source, target)

    def sync_directory(self, directory: Path) -> None:
        self._operate()
        super().sync_directory(directory)
