"""A table that is read again and again while a sweep runs: of its files, only those that have changed.

Sealed files of a log never do; so a look costs what the newest file costs, and nothing if that is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from orchestrator.records.parquet_log import log_files, read_file, read_footer

Stamp = tuple[int, int, int]


class Watched:
    """Some columns of a log, or of a table in one file.

    Attributes:
        table: What was read by the last look; None as long as there is no file.
        reads: How many files were read so far.
    """

    def __init__(self, files: Callable[[], list[Path]], wanted: Callable[[str], bool]) -> None:
        """Read nothing yet.

        Args:
            files: Which files there are now, oldest first.
            wanted: Whether a column of that name is read.
        """
        self.table: pa.Table | None = None
        self.reads = 0
        self._files = files
        self._wanted = wanted
        self._seen: dict[Path, tuple[Stamp, pa.Table]] = {}

    @classmethod
    def log(cls, directory: Path, wanted: Callable[[str], bool]) -> Watched:
        """A log."""
        return cls(lambda: log_files(directory), wanted)

    @classmethod
    def file(cls, path: Path, wanted: Callable[[str], bool]) -> Watched:
        """A table that is replaced as a whole."""
        return cls(lambda: [path] if path.exists() else [], wanted)

    def look(self) -> bool:
        """Read what has changed; whether anything has.

        Raises:
            RecordsError: A file is damaged, missing, or does not belong there; the next look tries again.
        """
        files, changed = self._files(), False
        for path in files:
            stamp = _stamp(path)
            if path not in self._seen or self._seen[path][0] != stamp:
                self._seen[path] = stamp, self._read(path)
                changed = True
        if changed:
            self._seen = {path: self._seen[path] for path in files}
            self.table = pa.concat_tables([table for _, table in self._seen.values()], promote_options="default")
        return changed

    def _read(self, path: Path) -> pa.Table:
        self.reads += 1
        columns = [name for name in read_footer(path).schema.to_arrow_schema().names if self._wanted(name)]
        return read_file(path, columns)


def _stamp(path: Path) -> Stamp:
    """Another one after each replacement."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
