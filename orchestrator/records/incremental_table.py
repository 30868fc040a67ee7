"""A table that is read repeatedly while a sweep runs, and rereads only files that have changed.

Sealed files of a log never change, so an update reads the newest file at most.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from orchestrator.records.parquet_log import log_files, read_file, read_footer
from orchestrator.records.table_rules import Rules, require_columns

Stamp = tuple[int, int, int]


class IncrementalTable:
    """Selected columns of a log, or of a table in a single file.

    Attributes:
        table: The rows read by the last :meth:`look`; None until there is a file.
        reads: The number of files read so far.
    """

    def __init__(
        self, files: Callable[[], list[Path]], wanted: Callable[[str], bool], rules: Rules | None = None
    ) -> None:
        """Create the table without reading anything.

        Args:
            files: Gives the current files, oldest first.
            wanted: Decides by its name whether a column is read.
            rules: What must hold for the rows; None: nothing.
        """
        self.table: pa.Table | None = None
        self.reads = 0
        self._files = files
        self._wanted = wanted
        self._rules = rules
        self._seen: dict[Path, tuple[Stamp, pa.Table]] = {}

    @classmethod
    def log(cls, directory: Path, wanted: Callable[[str], bool], rules: Rules | None = None) -> IncrementalTable:
        """The table of a log."""
        return cls(lambda: log_files(directory), wanted, rules)

    @classmethod
    def file(cls, path: Path, wanted: Callable[[str], bool], rules: Rules | None = None) -> IncrementalTable:
        """The table of a single file, which is replaced as a whole."""
        return cls(lambda: [path] if path.exists() else [], wanted, rules)

    def look(self) -> bool:
        """Read the files that have changed; returns whether any has.

        Raises:
            RecordsError: A file is damaged, missing, or does not belong there; the next call tries again.
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
        names = read_footer(path).schema.to_arrow_schema().names
        if self._rules is not None:
            require_columns(names, self._rules, path)
        return read_file(path, [name for name in names if self._wanted(name)], self._rules)


def _stamp(path: Path) -> Stamp:
    """Identifies the content of a file: differs after each replacement."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
