"""Parquet files that can be replaced while they are being read.

A rename alone is not enough, because some readers open a path twice: pandas (for a single file) and polars take size
and footer from the first opening and columns from the second, and fail if the file was replaced in between. So each
version of a file leaves the columns of the previous version in place, writes its own elsewhere, and keeps the size. If
the file has to grow, it starts with the complete previous version, footer included, so that a reader with an old footer
reads the old version. The price is space: a rewritten file takes two to four times what its rows need.

No flipped bit is read as another value. Pages have checksums, which any reader of Parquet can check. What these leave
out, the headers of pages and the footer, is in a checksum of the whole version, which stands before the footer where
other readers see a gap. If the bit is in that checksum's own name, the version counts as one without it, and is right.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_FRONT = len(_MAGIC)
_TAIL = 8  # bytes: the length of the footer, and the magic
_CHECKSUM = struct.Struct("<8sQQI")  # its name, begin and end of the columns, CRC-32 of these, the columns, the footer
_NAME = b"SWEEPCRC"


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


def require_checksum(content: bytes) -> None:
    """Check a file's checksum; files of early versions and of other programs have none.

    Raises:
        ValueError: It is another.
    """
    footer = len(content) - _TAIL - int.from_bytes(content[-_TAIL:-_FRONT], "little")
    if footer >= _CHECKSUM.size:
        name, begin, end, crc = _CHECKSUM.unpack_from(content, footer - _CHECKSUM.size)
        held = memoryview(content)
        if name == _NAME and crc != _crc(held[begin:end], held[footer:], begin, end):
            raise ValueError("its checksum differs")


def _crc(columns: bytes | memoryview, footer: bytes | memoryview, begin: int, end: int) -> int:
    return zlib.crc32(footer, zlib.crc32(columns, zlib.crc32(struct.pack("<QQ", begin, end))))


def _encode(table: pa.Table, offset: int) -> tuple[bytes, bytes]:
    """The table's columns for this offset in a file; and the checksum with the footer, anywhere after them.

    Only text and integers are dictionary-encoded: floats rarely repeat, and trying takes a third of the time.
    """
    repeating = [
        field.name for field in table.schema if pa.types.is_string(field.type) or pa.types.is_integer(field.type)
    ]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, table.schema, compression="zstd", use_dictionary=repeating, write_page_checksum=True
    ) as writer:
        sink.write(bytes(offset - sink.tell()))  # the footer holds positions in the file
        writer.write_table(table)
        end = sink.tell()
    content = memoryview(sink.getvalue())
    columns, footer = content[offset:end], content[end:]
    checksum = _CHECKSUM.pack(_NAME, offset, end, _crc(columns, footer, offset, end))
    return bytes(columns), checksum + bytes(footer)
