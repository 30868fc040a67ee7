"""Reads a sweep's records: Arrow tables for the command line, pandas data frames for people.

Works while the sweep runs, before its first write, and after a crash; writes nothing.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from orchestrator.errors import DamagedError
from orchestrator.records.extra import EXTRA, unfolded
from orchestrator.records.find import find
from orchestrator.records.parquet_log import log_files, read_file, read_footer
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import no_rows
from orchestrator.records.table_rules import EVENTS_RULES, METRICS, TRIALS, Rules

if TYPE_CHECKING:
    import pandas as pd


def trials_table(paths: SweepPaths, columns: list[str] | None = None) -> pa.Table:
    """One row per trial, in the order of trial numbers. Before the first write, there are no columns for parameters.

    Raises:
        RecordsError: The file is damaged.
    """
    if not paths.trials_table.exists():
        return _select(no_rows(TRIALS.schema), columns)
    return read_file(paths.trials_table, columns, TRIALS)


def metrics_table(paths: SweepPaths, columns: list[str] | None = None) -> pa.Table:
    """One row per report, in the order of writing, and one column per metric; the steps of a trial increase.

    Raises:
        RecordsError: A file is damaged, missing, or does not belong there.
    """
    wanted = columns if columns is None or _has_columns(paths.metrics, columns) else [*columns, EXTRA]
    table = _log_table(paths.metrics, METRICS, wanted)
    if EXTRA in table.schema.names:
        table = unfolded(table)
    return table if columns is None else table.select([name for name in columns if name in table.schema.names])


def events_table(paths: SweepPaths, columns: list[str] | None = None) -> pa.Table:
    """One row per event, in the order of writing, which for each trial is the order of time.

    Raises:
        RecordsError: A file is damaged, missing, or does not belong there.
    """
    return _log_table(paths.events, EVENTS_RULES, columns)


def load(path: str | Path) -> Sweep:
    """Open a sweep by its directory, as in ``load("results/churn")``. Only sweep.json is read at once.

    Raises:
        NoSuchSweepError: No sweep matches the path.
        RecordsError: sweep.json is damaged, or was written by a newer version.
    """
    path = Path(path).resolve()
    return Sweep(find(path.parent, path.name))


class Sweep:
    """The records of one sweep. Each table is read on first access and then kept; load again for newer rows.

    Attributes:
        paths: The sweep's files.
        info: The sweep's provenance: versions, git state, command line.
    """

    def __init__(self, paths: SweepPaths) -> None:
        self.paths = paths
        self.info: SweepInfo = read_sweep_json(paths.info)

    @property
    def name(self) -> str:
        """The sweep's name, which is its directory's; ``info.name`` is the name that it was launched with."""
        return self.paths.name

    @property
    def spec(self) -> dict[str, Any]:
        """The effective spec as plain data: defaults and --set applied."""
        return self.info.spec

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial; results/README.md describes the columns."""
        return frame(trials_table(self.paths))

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row per report: ``trial``, ``step`` and one column per metric."""
        return frame(metrics_table(self.paths))

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row per state change or decision, with the cutoff of the decision."""
        return frame(events_table(self.paths))

    def __repr__(self) -> str:
        states: dict[str, int] = {}
        for state in trials_table(self.paths, ["state"]).column("state").to_pylist():
            states[state] = states.get(state, 0) + 1
        reports = sum(read_footer(path).num_rows for path in log_files(self.paths.metrics))
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        return (
            f"<Sweep {self.name} in {self.paths.root}: {sum(states.values())} trials"
            + (f" ({counts})" if counts else "")
            + f", {reports} reports; data frames: .trials .metrics .events; also .spec .info .paths>"
        )


def _has_columns(log: Path, names: list[str]) -> bool:
    """Whether the files of a log have these columns; all have the same."""
    files = log_files(log)
    return bool(files) and set(names) <= set(read_footer(files[0]).schema.to_arrow_schema().names)


def _log_table(directory: Path, rules: Rules, columns: list[str] | None) -> pa.Table:
    tables = [read_file(path, columns, rules) for path in log_files(directory)]
    try:
        return pa.concat_tables(tables) if tables else _select(no_rows(rules.schema), columns)
    except pa.ArrowInvalid as error:
        raise DamagedError(f"the files in {directory} have different columns: {error}") from error


def _select(table: pa.Table, columns: list[str] | None) -> pa.Table:
    """The wanted columns of a table without rows, as far as it has them: those of metrics are known with the first."""
    return table if columns is None else table.select([name for name in columns if name in table.schema.names])


def frame(table: pa.Table) -> pd.DataFrame:
    """A table as a data frame."""
    frame: pd.DataFrame = table.to_pandas()
    return frame
