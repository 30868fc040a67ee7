"""A log neither loses nor duplicates rows, whatever the disk does."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import RecordsError
from orchestrator.records.parquet_log import ParquetLog, log_files, read_file
from tests.records.failing_disk import FailingDisk

SCHEMA = pa.schema({"n": pa.int64()})


def numbers(start: int, stop: int) -> pa.Table:
    return pa.table({"n": pa.array(range(start, stop), pa.int64())})


def recorded(directory: Path) -> list[int]:
    return [n for path in log_files(directory) for n in read_file(path)["n"].to_pylist()]


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    failing=st.sets(st.integers(5, 60), max_size=12),
    reopen_after=st.sets(st.integers(0, 7)),
)
def test_no_row_lost_or_doubled_on_a_failing_disk(
    batches: list[int], failing: set[int], reopen_after: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "log"
        disk = FailingDisk(lambda count: count in failing)
        log = ParquetLog(directory, SCHEMA, disk=disk, seal_rows=7)
        appended = acknowledged = 0
        for number, size in enumerate(batches):
            log.append(numbers(appended, appended + size))
            appended += size
            try:
                log.write()
                acknowledged = appended
            except RecordsError:
                acknowledged = max(acknowledged, log.rows)
            assert acknowledged <= len(recorded(directory))
            if number in reopen_after and not log.pending:  # else the rows would be the process's to lose
                disk.fails = lambda count: False
                log = ParquetLog(directory, SCHEMA, disk=disk, seal_rows=7)
                disk.fails = lambda count: count in failing
            assert recorded(directory) == list(range(len(recorded(directory))))
        disk.fails = lambda count: False
        log.write()
        assert recorded(directory) == list(range(appended))
        assert not [path for path in directory.iterdir() if path.name.startswith(".")]
        assert all(read_file(path).num_rows == 7 for path in log_files(directory)[:-1])


def test_a_failed_write_can_be_repeated_and_its_rows_survive_a_reopening(tmp_path: Path) -> None:
    disk = FailingDisk(lambda count: False)
    log = ParquetLog(tmp_path / "log", SCHEMA, disk=disk)
    log.append(numbers(0, 3))
    disk.fails = lambda count: True
    with pytest.raises(RecordsError, match=r"000000.parquet: No space left"):
        log.write()
    assert (log.rows, log.pending) == (0, True)
    disk.fails = lambda count: False
    log.append(numbers(3, 5))
    log.write()
    assert ParquetLog(tmp_path / "log", SCHEMA).rows == 5


def test_reopening_continues_the_newest_file(tmp_path: Path) -> None:
    for start in range(0, 10, 2):
        log = ParquetLog(tmp_path / "log", SCHEMA, seal_rows=6)
        log.append(numbers(start, start + 2))
        log.write()
    assert [path.name for path in log_files(tmp_path / "log")] == ["000000.parquet", "000001.parquet"]
    assert recorded(tmp_path / "log") == list(range(10))


def test_many_rows_at_once_are_cut_into_sealed_files(tmp_path: Path) -> None:
    log = ParquetLog(tmp_path / "log", SCHEMA, seal_rows=10)
    log.append(numbers(0, 35))
    log.write()
    sealed = {path: path.stat().st_mtime_ns for path in log_files(tmp_path / "log")[:-1]}
    log.append(numbers(35, 37))
    log.write()
    assert len(sealed) == 3
    assert sealed == {path: path.stat().st_mtime_ns for path in sealed}
    assert recorded(tmp_path / "log") == list(range(37))


def test_a_log_is_readable_before_its_first_row(tmp_path: Path) -> None:
    ParquetLog(tmp_path / "log", SCHEMA)
    assert list(pd.read_parquet(tmp_path / "log").columns) == ["n"]


def test_leftovers_of_a_crash_are_removed_and_other_hidden_files_left(tmp_path: Path) -> None:
    ParquetLog(tmp_path / "log", SCHEMA)
    (tmp_path / "log" / ".000001.parquet.tmp").write_bytes(b"PAR1 half")
    (tmp_path / "log" / ".DS_Store").touch()
    assert recorded(tmp_path / "log") == []
    assert len(pd.read_parquet(tmp_path / "log")) == 0
    ParquetLog(tmp_path / "log", SCHEMA)
    assert {path.name for path in (tmp_path / "log").iterdir()} == {"000000.parquet", ".DS_Store"}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda log: (log / "000000.parquet").write_bytes(b"PAR1 torn"), "damaged, or not a Parquet file"),
        (lambda log: (log / "000000.parquet").write_bytes(b""), "damaged, or not a Parquet file"),
        (lambda log: (log / "notes.txt").touch(), "notes.txt does not belong to the log; move it out"),
        (lambda log: (log / "000000.parquet").rename(log / "000001.parquet"), "000000.parquet is missing"),
    ],
)
def test_what_is_torn_foreign_or_missing_is_refused_with_a_sentence(
    tmp_path: Path, spoil: object, sentence: str
) -> None:
    ParquetLog(tmp_path / "log", SCHEMA)
    spoil(tmp_path / "log")  # type: ignore[operator]
    with pytest.raises(RecordsError, match=sentence):
        ParquetLog(tmp_path / "log", SCHEMA)


def test_files_of_different_columns_are_refused(tmp_path: Path) -> None:
    log = ParquetLog(tmp_path / "log", SCHEMA, seal_rows=1)
    log.append(numbers(0, 1))
    log.write()
    other = ParquetLog(tmp_path / "other", pa.schema({"m": pa.int64()}))
    (other.directory / "000000.parquet").rename(log.directory / "000001.parquet")
    with pytest.raises(RecordsError, match="has different columns"):
        ParquetLog(log.directory, SCHEMA)
