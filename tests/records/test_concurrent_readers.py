"""pandas, polars and DuckDB each read a thousand times while a driver writes ten times as often as in a sweep.

It pauses, because a file keeps its previous version for those who are reading it, and not the one before: a reader that
the machine holds up between opening a file for its footer and for its columns must be back before the second write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from orchestrator.records.paths import SweepPaths
from tests.records.writer import start_writer

READS = 1_000
PAUSE_S = 0.1
"""Seconds between two writes; a sweep writes once a second at most."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SweepPaths]:
    """A sweep that a driver writes, for as long as the tests read."""
    root = tmp_path_factory.mktemp("results") / "churn"
    root.mkdir()
    with start_writer(root, 1_000_000, PAUSE_S) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        drain = threading.Thread(target=writer.stdout.read)
        drain.start()
        yield SweepPaths(root)
        assert writer.poll() is None, "the writer ended before the readers"
        writer.kill()
        drain.join()


def with_pandas(path: Path) -> int:
    return len(pd.read_parquet(path))


def with_polars(path: Path) -> int:
    return pl.read_parquet(path / "*.parquet" if path.is_dir() else path).height


def with_duckdb(path: Path) -> int:
    """Two aggregates, so that columns are read and not only footers."""
    files = path / "*.parquet" if path.is_dir() else path
    counts = duckdb.execute(f"select count(*), count(trial), max(trial_id) from '{files}'").fetchone()
    assert counts is not None
    assert counts[0] == counts[1]
    return int(counts[0])


@pytest.mark.parametrize("read", [with_pandas, with_polars, with_duckdb])
def test_reads_never_fail_and_rows_never_become_fewer(live: SweepPaths, read: Callable[[Path], int]) -> None:
    tables = [live.metrics, live.events, live.trials_table]
    seen = dict.fromkeys(tables, 0)
    first = {path: read(path) for path in tables}
    for number in range(READS):
        path = tables[number % len(tables)]
        rows = read(path)
        assert rows >= seen[path]
        seen[path] = rows
    assert all(seen[path] > first[path] for path in tables), "nothing was written meanwhile"
