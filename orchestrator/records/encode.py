"""Turns rows into Arrow tables, one comprehension per column, which keeps recording cheap."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.core.rows import EventRow, MetricRow, TrialRow
from orchestrator.errors import RecordsError
from orchestrator.records.schema import CONFIG, EVENTS, TIME, Kind, metric_names, trials_schema


def trial_id(sweep: str, trial: int) -> str:
    """The id of a trial across sweeps: ``churn-7``."""
    return f"{sweep}-{trial}"


def metrics_table(rows: Sequence[MetricRow], schema: pa.Schema, sweep: str) -> pa.Table:
    """Reports as a table. Metrics without a column go to ``extra``; NaN and infinities are kept."""
    names = metric_names(schema)
    trials = [row.trial for row in rows]
    metrics = [row.metrics for row in rows]
    ids = {trial: trial_id(sweep, trial) for trial in set(trials)}
    columns = {
        "trial": _integers(trials),
        "trial_id": _texts([ids[trial] for trial in trials]),
        "attempt": _integers([row.attempt for row in rows]),
        "step": _integers([row.step for row in rows]),
        "train_s": _floats([row.train_s for row in rows]),
        "reported_at": _times([row.reported_at for row in rows]),
        "extra": pa.array(_others(metrics, frozenset(names)), schema.field("extra").type),
    }
    columns |= {name: _floats([each.get(name) for each in metrics]) for name in names}
    return _table(columns, schema)


def events_table(rows: Sequence[EventRow], sweep: str) -> pa.Table:
    """Events as a table; ``detail`` becomes a JSON string."""
    columns = {
        "at": _times(row.at for row in rows),
        "event": _texts(row.event for row in rows),
        "trial": _integers(row.trial for row in rows),
        "trial_id": _texts(None if row.trial is None else trial_id(sweep, row.trial) for row in rows),
        "attempt": _integers(row.attempt for row in rows),
        "step": _integers(row.step for row in rows),
        "rung": _integers(row.rung for row in rows),
        "value": _floats(row.value for row in rows),
        "cutoff": _floats(row.cutoff for row in rows),
        "decision": _texts(row.decision for row in rows),
        "reason": _texts(row.reason for row in rows),
        "detail": _texts(None if row.detail is None else _json(row.detail) for row in rows),
    }
    return _table(columns, EVENTS)


def trials_table(rows: Sequence[TrialRow], parameters: Mapping[str, Kind], sweep: str) -> pa.Table:
    """Trials as a table, one row each. The configurations must have passed :func:`check_config`."""
    failures = [row.failure for row in rows]
    columns = {
        "sweep": _texts(sweep for _ in rows),
        "trial": _integers(row.trial for row in rows),
        "trial_id": _texts(trial_id(sweep, row.trial) for row in rows),
        "state": _texts(row.state.value for row in rows),
        "objective": _floats(row.objective for row in rows),
        "objective_best": _floats(row.objective_best for row in rows),
        "objective_last": _floats(row.objective_last for row in rows),
        "best_step": _integers(row.best_step for row in rows),
        "last_step": _integers(row.last_step for row in rows),
        "rung": _integers(row.rung for row in rows),
        "bracket": _integers(row.bracket for row in rows),
        "seed": _integers(row.seed for row in rows),
        "attempts": _integers(row.attempts for row in rows),
        "failures": _integers(row.failures for row in rows),
        "preemptions": _integers(row.preemptions for row in rows),
        "origin": _texts(row.origin.value for row in rows),
        "retry_of": _integers(row.retry_of for row in rows),
        "started_at": _times(row.started_at for row in rows),
        "ended_at": _times(row.ended_at for row in rows),
        "train_s": _floats(row.train_s for row in rows),
        "startup_s": _floats(row.startup_s for row in rows),
        "overhead_s": _floats(row.overhead_s for row in rows),
        "reason": _texts(row.reason for row in rows),
        "diagnosis": _texts(row.diagnosis for row in rows),
        "diagnosis_reason": _texts(row.diagnosis_reason for row in rows),
        "error_type": _texts(None if failure is None else failure.type for failure in failures),
        "error_message": _texts(None if failure is None else failure.message for failure in failures),
        "error_traceback": _texts(None if failure is None else failure.traceback for failure in failures),
        "error_fingerprint": _texts(None if failure is None else failure.fingerprint for failure in failures),
        "node": _texts(row.node for row in rows),
        "node_id": _texts(row.node_id for row in rows),
        "gpus": _floats(row.gpus for row in rows),
        "gpu_ids": pa.array([list(row.gpu_ids) for row in rows], pa.list_(pa.string())),
    }
    for name, kind in parameters.items():
        columns[CONFIG + name] = _PARAMETER[kind](_values(rows, name, kind))
    return _table(columns, trials_schema(parameters))


def check_config(row: TrialRow, parameters: Mapping[str, Kind]) -> None:
    """Refuse a configuration that the columns cannot hold.

    Raises:
        RecordsError: A parameter has no column, or a value of another kind than its column.
    """
    for name, value in row.config.items():
        kind = parameters.get(name)
        if kind is None:
            raise RecordsError(
                f"trial {row.trial} has a parameter {name!r}, but trials.parquet has columns only for "
                f"{', '.join(parameters) or 'no parameters'}"
            )
        if not _FITS[kind](value):
            raise RecordsError(f"trial {row.trial}: {name} is {value!r}, but its column holds {kind} values")


def _is_int(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and -(2**63) <= int(value) < 2**63


_FITS: dict[Kind, Callable[[object], bool]] = {
    "int": _is_int,
    "float": lambda value: isinstance(value, Real) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "json": lambda value: True,
}


def _values(rows: Sequence[TrialRow], name: str, kind: Kind) -> Iterable[Any]:
    """The parameter's value in every row, None where it is absent; in JSON columns a value None is ``null``."""
    if kind == "json":
        return (_json(row.config[name]) if name in row.config else None for row in rows)
    return (row.config.get(name) for row in rows)


def _others(metrics: Sequence[Mapping[str, float]], known: frozenset[str]) -> list[list[tuple[str, float]] | None]:
    """For each report, its metrics without a column; None if all have one, which is the usual case."""
    others = set().union(*metrics) - known
    if not others:
        return [None] * len(metrics)
    return [[(name, each[name]) for name in each if name in others] or None for each in metrics]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> object:
    """A numpy scalar as a Python number, any other value that JSON cannot hold as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _integers(values: Iterable[int | None]) -> pa.Array:
    return pa.array(list(values), pa.int64())


def _floats(values: Iterable[float | None]) -> pa.Array:
    numbers = list(values)
    try:
        return pa.array(numbers, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # what only float() knows to convert
        return pa.array([None if value is None else float(value) for value in numbers], pa.float64())


def _bools(values: Iterable[bool | None]) -> pa.Array:
    return pa.array(list(values), pa.bool_())


def _times(values: Iterable[float | None]) -> pa.Array:
    """Seconds since the epoch as timestamps of microseconds."""
    return pc.round(pc.multiply(_floats(values), 1e6)).cast(pa.int64()).cast(TIME)


def _texts(values: Iterable[str | None]) -> pa.Array:
    texts = list(values)
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # bytes of a foreign encoding, as in the output of a program
        return pa.array([text and text.encode("utf-8", "backslashreplace").decode() for text in texts], pa.string())


_PARAMETER: dict[Kind, Callable[[Iterable[Any]], pa.Array]] = {
    "int": _integers,
    "float": _floats,
    "bool": _bools,
    "str": _texts,
    "json": _texts,
}


def _table(columns: Mapping[str, pa.Array], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
