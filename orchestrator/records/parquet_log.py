"""A log that only grows: a directory of a few Parquet files, read by anyone at any moment.

Only the newest file is ever rewritten, its old rows with the new ones, by a rename. A full file is sealed: it
is never touched again. Files are never merged or deleted, so whoever reads the directory sees a prefix of the
log.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import RecordsError
from orchestrator.records.disk import DISK, Disk, hidden, replace_file
from orchestrator.records.in_place_parquet import Edition, next_edition, whole

SEAL_ROWS = 100_000
_FILE = re.compile(r"\d{6,}\.parquet")


class Log:
    """The writer of a log. A row is acknowledged once :meth:`write` has returned after its :meth:`append`.

    A new log at once has a file without rows, so that readers find the columns.

    Attributes:
        schema: The columns of all files. An existing log with rows keeps the columns it has.
        rows: How many rows are acknowledged.
    """

    def __init__(self, directory: Path, schema: pa.Schema, *, disk: Disk = DISK, seal_rows: int = SEAL_ROWS) -> None:
        """Open the log, or begin it.

        Raises:
            RecordsError: The directory cannot be written, or holds a file that is no file of this log.
        """
        self.directory = directory
        self._disk = disk
        self._seal_rows = seal_rows
        with _explained(f"cannot open the log {directory}"):
            directory.mkdir(exist_ok=True)
            files = log_files(directory)
            for leftover in directory.glob(hidden(Path("*.parquet")).name):  # a writer died before its rename
                leftover.unlink()
        sealed, newest = files[:-1], files[-1:]
        footers = [read_footer(path) for path in files]
        for path, footer in zip(files, footers, strict=True):
            if footer.schema.to_arrow_schema() != footers[0].schema.to_arrow_schema():
                raise RecordsError(f"{path} has other columns than {files[0]}: it is no file of this log")
        self._number = len(sealed)
        self._sealed_rows: int = sum(footer.num_rows for footer in footers[:-1])
        self.schema = schema
        self._newest = schema.empty_table()
        self._edition: Edition | None = None
        self._pending: list[pa.Table] = []
        if newest:
            self._newest = read_file(newest[0])
            self._edition = whole(newest[0].read_bytes())
            self.schema = self._newest.schema
        if not self.rows:
            self.set_columns(schema)
            self._replace_newest(self._newest)

    @property
    def rows(self) -> int:
        """How many rows are acknowledged."""
        newest: int = self._newest.num_rows
        return self._sealed_rows + newest

    def set_columns(self, schema: pa.Schema) -> None:
        """Give a log without any rows other columns; its file gets them with the first rows."""
        self.schema = schema
        self._newest = schema.empty_table()

    def append(self, rows: pa.Table) -> None:
        """Take rows of the log's schema. They are written by the next :meth:`write`."""
        self._pending.append(rows)

    @property
    def pending(self) -> bool:
        """Whether there are rows that are not yet acknowledged."""
        return bool(self._pending)

    def write(self) -> None:
        """Write all that was appended.

        Raises:
            RecordsError: The disk refused. What was not acknowledged is kept, and written by the next call.
        """
        pending = pa.concat_tables(self._pending) if self._pending else self.schema.empty_table()
        while pending.num_rows:
            if self._newest.num_rows >= self._seal_rows:
                self._number += 1
                self._sealed_rows += self._newest.num_rows
                self._newest, self._edition = self.schema.empty_table(), None
            fitting = pending.slice(0, self._seal_rows - self._newest.num_rows)
            self._replace_newest(pa.concat_tables([self._newest, fitting]).combine_chunks())
            pending = pending.slice(fitting.num_rows)
            self._pending = [pending] if pending.num_rows else []

    def _replace_newest(self, rows: pa.Table) -> None:
        edition = next_edition(rows, self._edition)
        replace_file(self.directory / f"{self._number:06}.parquet", edition.content, self._disk)
        self._newest, self._edition = rows, edition


def log_files(directory: Path) -> list[Path]:
    """The files of a log, oldest first; none if the directory does not exist.

    Raises:
        RecordsError: A visible file is not of the log, or one is missing.
    """
    if not directory.exists():
        return []
    paths = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    for number, path in enumerate(paths):
        if not _FILE.fullmatch(path.name):
            raise RecordsError(f"{path} is no file of the log: move it out of {directory}")
        if int(path.stem) != number:
            raise RecordsError(f"{directory / f'{number:06}.parquet'} is missing: rows of the log are lost")
    return paths


def read_footer(path: Path) -> pq.FileMetaData:
    """The footer of one Parquet file.

    Raises:
        RecordsError: It cannot be read, or is no Parquet file.
    """
    with _explained(f"cannot read {path}"), pq.ParquetFile(path) as file:
        return file.metadata


def read_file(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The rows of one Parquet file, opened once: a rename meanwhile does not mix two versions.

    Raises:
        RecordsError: It cannot be read, or is no Parquet file.
    """
    with _explained(f"cannot read {path}"), pq.ParquetFile(path) as file:
        return file.read(columns)


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordsError(f"{what}: {error.strerror or error}") from error
    except pa.ArrowInvalid as error:
        raise RecordsError(f"{what}: it is damaged or no Parquet file ({error})") from error
