"""A reader one edition late reads that edition unharmed."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.records.in_place_parquet import Edition, next_edition, whole


def table(rows: int, salt: int) -> pa.Table:
    return pa.table({"a": list(range(salt, salt + rows)), "b": [f"{i * salt}" for i in range(rows)]})


def read_late(before: Edition, now: Edition) -> pa.Table:
    """What a reader gets that took the footer from ``before`` and takes the columns from ``now``."""
    footer = pq.read_metadata(pa.BufferReader(before.content))
    return pq.ParquetFile(pa.BufferReader(now.content), metadata=footer).read()


@given(st.lists(st.integers(0, 400), min_size=2, max_size=12), st.booleans())
def test_every_edition_holds_its_table_and_leaves_the_one_before(sizes: list[int], reopened: bool) -> None:
    before, old = None, None
    for salt, rows in enumerate(sizes):
        new = table(rows, salt)
        edition = next_edition(new, whole(before.content) if before and reopened else before)
        assert pq.read_table(pa.BufferReader(edition.content)) == new
        if before is not None:
            assert read_late(before, edition) == old
            size = len(before.content)
            assert len(edition.content) == size or edition.content.startswith(before.content)
        before, old = edition, new


def test_a_file_rewritten_many_times_stays_within_a_few_times_its_rows() -> None:
    edition = None
    for rows in range(0, 20_000, 100):
        edition = next_edition(table(rows, 1), edition)
    assert edition is not None
    assert len(edition.content) < 4.5 * len(next_edition(table(20_000, 1), None).content)
