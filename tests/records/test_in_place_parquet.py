"""A reader that is one version late can still read the old version."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.records.in_place_parquet import FileVersion, next_version, version_on_disk


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
