"""Parquet files that can be replaced while they are being read.

A rename alone is not enough, because some readers open a path twice: pandas (for a single file) and polars take size
and footer from the first opening and columns from the second, and fail if the file was replaced in between. So each
version of a file leaves the columns of the previous version in place, writes its own elsewhere, and keeps the size. If
the file has to grow, it starts with the complete previous version, footer included, so that a reader with an old footer
reads the old version. The price is space: a rewritten file takes two to four times what its rows need.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_FRONT = len(_MAGIC)


@dataclass(frozen=True)
class FileVersion:
    """A file's content. Its columns are ``content[begin:end]``; the bytes around them belong to earlier versions."""

    content: bytes
    begin: int
    end: int


def version_on_disk(content: bytes) -> FileVersion:
    """The version found on disk, all bytes of which stay in place."""
    return FileVersion(content, _FRONT, len(content))


def next_version(table: pa.Table, before: FileVersion | None) -> FileVersion:
    """The content that holds this table and can replace ``before`` while that is being read."""
    if before is None:
        columns, footer = _encode(table, _FRONT)
        return FileVersion(_MAGIC + columns + footer, _FRONT, _FRONT + len(columns))
    old, size = before.content, len(before.content)
    if before.begin - _FRONT >= before.end - before.begin:  # there may be room before the old columns
        columns, footer = _encode(table, _FRONT)
        end = _FRONT + len(columns)
        rest = size - before.end - len(footer)
        if end <= before.begin and rest >= 0:
            return FileVersion(_MAGIC + columns + old[end : before.end] + bytes(rest) + footer, _FRONT, end)
    columns, footer = _encode(table, before.end)
    end = before.end + len(columns)
    rest = size - end - len(footer)
    if rest >= 0:
        return FileVersion(old[: before.end] + columns + bytes(rest) + footer, before.end, end)
    columns, footer = _encode(table, size)
    return FileVersion(old + columns + footer, size, size + len(columns))


def _encode(table: pa.Table, offset: int) -> tuple[bytes, bytes]:
    """The table's columns for this offset in a file, and the footer, which can be anywhere after them.

    Only text and integers are dictionary-encoded: floats rarely repeat, and trying takes a third of the time.
    """
    repeating = [
        field.name for field in table.schema if pa.types.is_string(field.type) or pa.types.is_integer(field.type)
    ]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", use_dictionary=repeating) as writer:
        sink.write(bytes(offset - sink.tell()))  # the footer holds positions in the file
        writer.write_table(table)
        end = sink.tell()
    content = memoryview(sink.getvalue())
    return bytes(content[offset:end]), bytes(content[end:])
