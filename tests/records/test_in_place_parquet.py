"""A reader that is one version late can still read the old version."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import DamagedError
from orchestrator.records.in_place_parquet import FileVersion, next_version, version_on_disk
from orchestrator.records.parquet_log import read_file


def table(rows: int, salt: int) -> pa.Table:
    return pa.table({"a": list(range(salt, salt + rows)), "b": [f"{i * salt}" for i in range(rows)]})


def read_late(before: FileVersion, now: FileVersion) -> pa.Table:
    """What a reader gets that took the footer from ``before`` and takes the columns from ``now``."""
    footer = pq.read_metadata(pa.BufferReader(before.content))
    return pq.ParquetFile(pa.BufferReader(now.content), metadata=footer).read()


@given(st.lists(st.integers(0, 400), min_size=2, max_size=12), st.booleans())
def test_every_version_holds_its_table_and_leaves_the_previous_one(sizes: list[int], reopened: bool) -> None:
    before, old = None, None
    for salt, rows in enumerate(sizes):
        new = table(rows, salt)
        version = next_version(new, version_on_disk(before.content) if before and reopened else before)
        assert pq.read_table(pa.BufferReader(version.content)) == new
        if before is not None:
            assert read_late(before, version) == old
            size = len(before.content)
            assert len(version.content) == size or version.content.startswith(before.content)
        before, old = version, new


def test_a_file_rewritten_many_times_stays_within_a_few_times_its_rows() -> None:
    version = None
    for rows in range(0, 20_000, 100):
        version = next_version(table(rows, 1), version)
    assert version is not None
    assert len(version.content) < 4.5 * len(next_version(table(20_000, 1), None).content)


def test_no_flipped_bit_is_read_as_another_value(tmp_path: Path) -> None:
    """Every byte: columns, pages' headers, the footer, the checksums, and what earlier versions left."""
    path, version, random = tmp_path / "a.parquet", None, Random(1)
    for rows in (50, 100, 120, 200):
        held = table(rows, 3)
        version = next_version(held, version)
    assert version is not None
    path.write_bytes(version.content)
    assert read_file(path) == held
    found = 0
    for at in range(len(version.content)):
        flipped = bytearray(version.content)
        flipped[at] ^= 1 << random.randrange(8)
        path.write_bytes(flipped)
        try:
            assert read_file(path) == held
        except DamagedError:
            found += 1
    assert found > version.end - version.begin


def test_pages_have_checksums_that_any_reader_can_check() -> None:
    """A bit in a page, without ours over the whole version."""
    content = bytearray(next_version(table(100, 3), None).content)
    content[60] ^= 1
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    with file, pytest.raises(OSError, match="CRC"):
        file.read()


def test_a_version_without_a_checksum_is_read(tmp_path: Path) -> None:
    """As early versions and other programs write it."""
    held = table(100, 3)
    pq.write_table(held, tmp_path / "a.parquet")
    assert read_file(tmp_path / "a.parquet") == held
