"""An append-only log: a directory of a few Parquet files that can be read at any time.

Only the newest file is rewritten, with its old rows followed by the new ones, and replaced by a rename. A full file is
sealed and never changes again. No file is merged or deleted, so readers always see a prefix of the log.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import DamagedError, RecordsError
from orchestrator.records.atomic_files import FILE_OPERATIONS, FileOperations, replace_file, temporary_path
from orchestrator.records.in_place_parquet import FileVersion, next_version, require_checksum, version_on_disk
from orchestrator.records.plain_files import open_plain, read_plain
from orchestrator.records.schema import no_rows
from orchestrator.records.table_rules import Rules, check, require_columns

SEAL_ROWS = 100_000
MOST_BYTES = 2**32
"""Bytes of the largest Parquet file that is read."""
THREADS_FROM = 2**20
"""Bytes from which Arrow's threads read a file. A command that ends while they are being started was seen to abort."""
_FILE = re.compile(r"\d{6,}\.parquet")


class ParquetLog:
    """The writer of a log. An appended row is safe once the next :meth:`write` has returned.

    A new log starts with a file without rows, so that readers find the columns.

    Attributes:
        schema: The columns of all files. An existing log keeps them; :meth:`rewrite` may change them.
        sealed: Whether there are files that never change, so that the columns are final.
        rows: The number of rows written.
    """

    def __init__(
        self, directory: Path, schema: pa.Schema, *, disk: FileOperations = FILE_OPERATIONS, seal_rows: int = SEAL_ROWS
    ) -> None:
        """Open the log, or create it.

        Raises:
            RecordsError: The directory cannot be written, or contains a file that does not belong to the log.
        """
        self.directory = directory
        self._disk = disk
        self._seal_rows = seal_rows
        with _explained(f"cannot open the log {directory}"):
            directory.mkdir(exist_ok=True)
            files = log_files(directory)
            for leftover in directory.glob(temporary_path(Path("*.parquet")).name):  # a writer died before the rename
                leftover.unlink()
        sealed, newest = files[:-1], files[-1:]
        footers = [read_footer(path) for path in files]
        for path, footer in zip(files, footers, strict=True):
            if footer.schema.to_arrow_schema() != footers[0].schema.to_arrow_schema():
                raise RecordsError(f"{path} has different columns than {files[0]}, so it does not belong to this log")
        self._number = len(sealed)
        self._sealed_rows: int = sum(footer.num_rows for footer in footers[:-1])
        self.schema = schema
        self._newest = no_rows(schema)
        self._version: FileVersion | None = None
        self._pending: list[pa.Table] = []
        self._rewritten = False  # whether the newest file is to be written although no row came
        if newest:
            self._newest = read_file(newest[0])
            self._version = version_on_disk(read_plain(newest[0], MOST_BYTES))
            self.schema = self._newest.schema
        if not self.rows:
            self.schema, self._newest = schema, no_rows(schema)
            self._replace_newest(self._newest)

    @property
    def rows(self) -> int:
        """The number of rows written."""
        newest: int = self._newest.num_rows
        return self._sealed_rows + newest

    @property
    def sealed(self) -> bool:
        return self._number > 0

    def rewrite(self, schema: pa.Schema, change: Callable[[pa.Table], pa.Table]) -> None:
        """Change the rows that are not sealed; the file changes with the next :meth:`write`.

        Args:
            schema: The columns of the changed rows; they may differ while nothing is sealed.
            change: Returns a table of such rows as it is to be, with as many rows.
        """
        self.schema = schema
        self._newest = change(self._newest)
        self._pending = [change(rows) for rows in self._pending]
        self._rewritten = True

    def append(self, rows: pa.Table) -> None:
        """Buffer rows of the log's schema for the next :meth:`write`."""
        self._pending.append(rows)

    @property
    def pending(self) -> bool:
        """Whether there are rows that are not written yet."""
        return bool(self._pending) or self._rewritten

    def write(self) -> None:
        """Write all buffered rows.

        Raises:
            RecordsError: Writing failed. Rows that were not written stay buffered for the next call.
        """
        pending = pa.concat_tables(self._pending) if self._pending else no_rows(self.schema)
        if self._rewritten and (not pending.num_rows or self._newest.num_rows >= self._seal_rows):
            self._replace_newest(self._newest)
        while pending.num_rows:
            if self._newest.num_rows >= self._seal_rows:
                self._number += 1
                self._sealed_rows += self._newest.num_rows
                self._newest, self._version = no_rows(self.schema), None
            fitting = pending.slice(0, self._seal_rows - self._newest.num_rows)
            self._replace_newest(pa.concat_tables([self._newest, fitting]).combine_chunks())
            pending = pending.slice(fitting.num_rows)
            self._pending = [pending] if pending.num_rows else []

    def _replace_newest(self, rows: pa.Table) -> None:
        version = next_version(rows, self._version)
        replace_file(self.directory / f"{self._number:06}.parquet", version.content, self._disk)
        self._newest, self._version, self._rewritten = rows, version, False


def log_files(directory: Path) -> list[Path]:
    """The files of a log, oldest first; none if the directory does not exist.

    Raises:
        RecordsError: A visible file does not belong to the log, or a file is missing.
    """
    with _explained(f"cannot read {directory}"):
        if not directory.exists():
            return []
        paths = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    for number, path in enumerate(paths):
        if not _FILE.fullmatch(path.name):
            raise RecordsError(f"{path} does not belong to the log; move it out of {directory}")
        if int(path.stem) != number:
            raise DamagedError(f"{directory / f'{number:06}.parquet'} is missing, so rows of the log are lost")
    return paths


def read_footer(path: Path) -> pq.FileMetaData:
    """The footer of one Parquet file.

    Raises:
        RecordsError: The file cannot be read, or is not a Parquet file.
    """
    with _explained(f"cannot read {path}"), open_plain(path) as content, pq.ParquetFile(content) as file:
        return file.metadata


def read_file(path: Path, columns: list[str] | None = None, rules: Rules | None = None) -> pa.Table:
    """The rows of one Parquet file, read at once, so that a concurrent rename cannot mix two versions.

    Args:
        path: The file.
        columns: Those to read; None: all.
        rules: What must hold for its rows.

    Raises:
        RecordsError: The file cannot be read, is not a Parquet file, or breaks a rule.
    """
    with _explained(f"cannot read {path}"):
        return decode(read_plain(path, MOST_BYTES), path, columns, rules)


def decode(content: bytes, path: Path, columns: list[str] | None = None, rules: Rules | None = None) -> pa.Table:
    """The rows of a Parquet file's content; arguments as of :func:`read_file`.

    Raises:
        RecordsError: It breaks a rule.
        pa.ArrowException, OSError, ValueError: It is damaged, or not Parquet.
    """
    require_checksum(content)
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        if rules is not None:
            require_columns(file.schema_arrow.names, rules, path, columns)
        table = file.read(columns, use_threads=len(content) > THREADS_FROM)
    table.validate(full=True)  # text that is no UTF-8 would fail later, wherever it is used
    if rules is not None:
        check(table, rules, path)
    return table


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:  # pyarrow's, about the content
            raise DamagedError(f"{what}: damaged, or not a Parquet file ({' '.join(str(error).split())})") from error
        raise RecordsError(f"{what}: {error.strerror or error}") from error
    except (pa.ArrowException, ValueError) as error:
        raise DamagedError(f"{what}: damaged, or not a Parquet file ({' '.join(str(error).split())})") from error
