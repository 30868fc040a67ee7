"""Parquet files that can be replaced while somebody reads them.

A rename alone is not enough. Readers open a path twice: pandas (a single file) and polars take size and
footer from one opening and columns from the next, and fail if the file was replaced in between. So each
edition of a file leaves the columns of the one before where they are, writes its own elsewhere, and ends at
the same size. If it has to grow, it begins with the whole edition before, footer included. Who is one edition
late then reads that edition, unharmed. The price is space: a file that is rewritten takes two to four times
what its rows need.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_FRONT = len(_MAGIC)


@dataclass(frozen=True)
class Edition:
    """A file's content. Its columns are ``content[begin:end]``; around them is what earlier editions left."""

    content: bytes
    begin: int
    end: int


def whole(content: bytes) -> Edition:
    """The edition found on disk, all of which is to be left where it is."""
    return Edition(content, _FRONT, len(content))


def next_edition(table: pa.Table, before: Edition | None) -> Edition:
    """The content that holds this table and can replace ``before`` under its readers."""
    if before is None:
        columns, footer = _encode(table, _FRONT)
        return Edition(_MAGIC + columns + footer, _FRONT, _FRONT + len(columns))
    old, size = before.content, len(before.content)
    if before.begin - _FRONT >= before.end - before.begin:  # there may be room in front of the columns before
        columns, footer = _encode(table, _FRONT)
        end = _FRONT + len(columns)
        rest = size - before.end - len(footer)
        if end <= before.begin and rest >= 0:
            return Edition(_MAGIC + columns + old[end : before.end] + bytes(rest) + footer, _FRONT, end)
    columns, footer = _encode(table, before.end)
    end = before.end + len(columns)
    rest = size - end - len(footer)
    if rest >= 0:
        return Edition(old[: before.end] + columns + bytes(rest) + footer, before.end, end)
    columns, footer = _encode(table, size)
    return Edition(old + columns + footer, size, size + len(columns))


def _encode(table: pa.Table, offset: int) -> tuple[bytes, bytes]:
    """The table's columns, to stand at this offset of a file, and the footer, to stand anywhere behind them.

    Dictionaries for text and integers, which repeat; floats rarely do, and trying costs a third of the time.
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
