"""Writes the table of trials: one row per trial, and the whole file replaced by every write.

Rows are kept as Arrow tables in blocks of trials, and only blocks with changed rows are encoded again. In a long sweep,
most blocks contain ended trials only, so a write costs little more than Parquet's encoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from orchestrator.core.rows import TrialRow
from orchestrator.records.atomic_files import FILE_OPERATIONS, FileOperations, replace_file
from orchestrator.records.decode import trial_rows
from orchestrator.records.encode import check_config, trials_table
from orchestrator.records.in_place_parquet import FileVersion, next_version, version_on_disk
from orchestrator.records.parquet_log import MOST_BYTES, read_file
from orchestrator.records.plain_files import read_plain
from orchestrator.records.schema import Kind, no_rows, trials_schema
from orchestrator.records.table_rules import TRIALS

BLOCK = 256
"""Trials in a block."""


class TrialsTable:
    """The writer of trials.parquet. An existing table keeps its rows until they are replaced.

    A new table starts with a file without rows, so that readers find the columns.
    """

    def __init__(
        self, path: Path, sweep: str, parameters: Mapping[str, Kind], *, disk: FileOperations = FILE_OPERATIONS
    ) -> None:
        """Open the table, or create it.

        Raises:
            RecordsError: The file cannot be read or written.
        """
        self._path = path
        self._sweep = sweep
        self._parameters = dict(parameters)
        self._disk = disk
        self._rows: dict[int, dict[int, TrialRow]] = {}  # block → trial → row
        self._tables: dict[int, pa.Table] = {}  # block → its rows, encoded
        self._stale: set[int] = set()
        self._version: FileVersion | None = None
        if path.exists():
            self._version = version_on_disk(read_plain(path, MOST_BYTES))
            for row in trial_rows(read_file(path, rules=TRIALS), self._parameters, path):
                self.put(row)
        else:
            self._replace()

    def put(self, row: TrialRow) -> None:
        """Insert or replace the trial's row.

        Raises:
            RecordsError: The configuration does not fit the columns.
        """
        block = row.trial // BLOCK
        rows = self._rows.setdefault(block, {})
        if row.trial not in rows or rows[row.trial].config is not row.config:
            check_config(row, self._parameters)
        rows[row.trial] = row
        self._stale.add(block)

    def widen(self, parameters: Mapping[str, Kind]) -> None:
        """Add columns for further parameters, to be written with the next write."""
        self._parameters = dict(parameters)
        self._stale.update(self._rows)

    @property
    def pending(self) -> bool:
        """Whether a row has changed since the last write."""
        return bool(self._stale)

    def write(self) -> None:
        """Replace the file if a row has changed.

        Raises:
            RecordsError: Writing failed; the next call tries again.
        """
        if not self._stale:
            return
        for block in self._stale:
            rows = sorted(self._rows[block].values(), key=lambda row: row.trial)
            self._tables[block] = trials_table(rows, self._parameters, self._sweep)
        self._replace()
        self._stale.clear()

    def _replace(self) -> None:
        schema = trials_schema(self._parameters)
        blocks = [self._tables[block] for block in sorted(self._tables)]
        table = pa.concat_tables([no_rows(schema), *blocks]).combine_chunks()
        version = next_version(table, self._version)
        replace_file(self._path, version.content, self._disk)
        self._version = version
