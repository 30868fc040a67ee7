"""Turns Arrow tables back into rows, for a resume; needs no pandas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestrator.core.rows import Config, EventRow, Failure, MetricRow, Origin, State, TrialRow
from orchestrator.errors import DamagedError
from orchestrator.records.details import parsed_cell, parsed_detail, parsed_object
from orchestrator.records.extra import EXTRA, unfolded
from orchestrator.records.schema import CONFIG, KINDS, Kind, metric_names, trials_schema


def metric_rows(table: pa.Table) -> list[MetricRow]:
    """The reports of a metrics table."""
    if EXTRA in table.schema.names:
        table = unfolded(table)
    names = metric_names(table.schema)
    measured = zip(*(table[name].to_pylist() for name in names), strict=True) if names else repeat(())
    fixed = (table[name].to_pylist() for name in ("trial", "attempt", "step", "train_s"))
    microseconds = table["reported_at"].cast(pa.int64()).to_pylist()
    return [
        MetricRow(
            trial=trial,
            attempt=attempt,
            step=step,
            train_s=train_s,
            reported_at=reported_at / 1_000_000,
            metrics={name: value for name, value in zip(names, values, strict=True) if value is not None},
        )
        for trial, attempt, step, train_s, reported_at, values in zip(*fixed, microseconds, measured, strict=False)
    ]


def event_rows(table: pa.Table, log: Path = Path("events"), *, strict: bool = False) -> list[EventRow]:
    """The events of an events table, in the order of writing.

    Args:
        table: With all columns.
        log: Where it was read from, for errors.
        strict: Whether each detail must have what its event has; else it must only be a JSON object.

    Raises:
        DamagedError: A detail is not.
    """

    def detail(event: str, text: str) -> dict[str, Any]:
        return parsed_detail(event, text, log) if strict else parsed_object(text, log)

    return [
        EventRow(
            at=row["at"].timestamp(),
            event=row["event"],
            trial=row["trial"],
            attempt=row["attempt"],
            step=row["step"],
            rung=row["rung"],
            value=row["value"],
            cutoff=row["cutoff"],
            decision=row["decision"],
            reason=row["reason"],
            detail=None if row["detail"] is None else detail(row["event"], row["detail"]),
        )
        for row in table.to_pylist()
    ]


def trial_rows(table: pa.Table, parameters: Mapping[str, Kind], path: Path = Path("trials.parquet")) -> list[TrialRow]:
    """The trials of a trials table with these parameters.

    Columns that an older version of the schema lacks count as empty.

    Args:
        table: With all columns.
        parameters: Those of the space, with the kinds of their columns.
        path: Where it was read from, for errors.

    Raises:
        DamagedError: A parameter's values are of another kind.
    """
    require_kinds(table, parameters, path)
    for field in trials_schema(parameters):
        if field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return [
        TrialRow(
            trial=row["trial"],
            state=State(row["state"]),
            config=config_of(row, parameters, path),
            seed=row["seed"],
            bracket=row["bracket"],
            objective=row["objective"],
            objective_best=row["objective_best"],
            objective_last=row["objective_last"],
            best_step=row["best_step"],
            last_step=row["last_step"],
            rung=row["rung"],
            attempts=row["attempts"],
            failures=row["failures"],
            preemptions=row["preemptions"],
            origin=Origin(row["origin"] or Origin.SEARCH),
            retry_of=row["retry_of"],
            started_at=_seconds(row["started_at"]),
            ended_at=_seconds(row["ended_at"]),
            train_s=row["train_s"],
            startup_s=row["startup_s"] or 0.0,
            overhead_s=row["overhead_s"],
            reason=row["reason"],
            diagnosis=row["diagnosis"],
            diagnosis_reason=row["diagnosis_reason"],
            failure=_failure(row),
            node=row["node"],
            node_id=row["node_id"],
            gpus=row["gpus"] or 0.0,
            gpu_ids=tuple(row["gpu_ids"]),
        )
        for row in table.to_pylist()
    ]


def require_kinds(table: pa.Table, parameters: Mapping[str, Kind], path: Path) -> None:
    """Check that each parameter's column holds values of the parameter's kind.

    Raises:
        DamagedError: One does not.
    """
    for name, kind in parameters.items():
        if CONFIG + name in table.schema.names:
            held = table.schema.field(CONFIG + name).type
            if held != KINDS[kind]:
                raise DamagedError(f"{path} is damaged: column {CONFIG}{name} holds {held}, not {KINDS[kind]}")


def config_of(row: Mapping[str, Any], parameters: Mapping[str, Kind], path: Path) -> Config:
    """The configuration in a row of the table of trials.

    Raises:
        DamagedError: A value that is recorded as JSON is no JSON.
    """
    cells = ((name, kind, row.get(CONFIG + name)) for name, kind in parameters.items())
    return {
        name: parsed_cell(cell, name, path) if kind == "json" else cell
        for name, kind, cell in cells
        if cell is not None
    }


def _failure(row: Mapping[str, Any]) -> Failure | None:
    if row["error_type"] is None:
        return None
    return Failure(
        type=row["error_type"],
        message=row["error_message"] or "",
        traceback=row["error_traceback"] or "",
        fingerprint=row["error_fingerprint"] or "",
    )


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
