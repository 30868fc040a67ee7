"""The columns of the three tables and their types. results/README.md describes them for users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import pyarrow as pa

from orchestrator.records.extra import EXTRA

Kind = Literal["int", "float", "bool", "str", "json"]
"""The type of a parameter's column. "json" is for lists and for choices of mixed types or with None."""

TIME = pa.timestamp("us", tz="UTC")
KINDS: Mapping[Kind, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "str": pa.string(),
    "json": pa.string(),
}

EVENTS = pa.schema(
    {
        "at": TIME,
        "event": pa.string(),
        "trial": pa.int64(),
        "trial_id": pa.string(),
        "attempt": pa.int64(),
        "step": pa.int64(),
        "rung": pa.int64(),
        "value": pa.float64(),
        "cutoff": pa.float64(),
        "decision": pa.string(),
        "reason": pa.string(),
        "detail": pa.string(),
    }
)

_METRICS_BEFORE = {
    "trial": pa.int64(),
    "trial_id": pa.string(),
    "attempt": pa.int64(),
    "step": pa.int64(),
    "train_s": pa.float64(),
    "reported_at": TIME,
}
_METRICS_AFTER = {EXTRA: pa.map_(pa.string(), pa.float64())}

_TRIALS_BEFORE = {
    "sweep": pa.string(),
    "trial": pa.int64(),
    "trial_id": pa.string(),
    "state": pa.string(),
    "objective": pa.float64(),
    "objective_best": pa.float64(),
    "objective_last": pa.float64(),
    "best_step": pa.int64(),
    "last_step": pa.int64(),
    "rung": pa.int64(),
    "bracket": pa.int64(),
    "seed": pa.int64(),
    "attempts": pa.int64(),
    "failures": pa.int64(),
    "preemptions": pa.int64(),
    "origin": pa.string(),
    "retry_of": pa.int64(),
}
_TRIALS_AFTER = {
    "started_at": TIME,
    "ended_at": TIME,
    "train_s": pa.float64(),
    "startup_s": pa.float64(),
    "overhead_s": pa.float64(),
    "reason": pa.string(),
    "diagnosis": pa.string(),
    "diagnosis_reason": pa.string(),
    "error_type": pa.string(),
    "error_message": pa.string(),
    "error_traceback": pa.string(),
    "error_fingerprint": pa.string(),
    "node": pa.string(),
    "node_id": pa.string(),
    "gpus": pa.float64(),
    "gpu_ids": pa.list_(pa.string()),
}
CONFIG = "config."
"""The prefix of parameter columns."""


def trials_schema(parameters: Mapping[str, Kind]) -> pa.Schema:
    """The columns of trials.parquet for these parameters, in this order."""
    config = {CONFIG + name: KINDS[kind] for name, kind in parameters.items()}
    return pa.schema(_TRIALS_BEFORE | config | _TRIALS_AFTER)


def metrics_schema(metrics: Iterable[str]) -> pa.Schema:
    """The columns of the metrics log, with one for each of these metrics in this order.

    A metric with the name of a fixed column gets no column; its values go to ``extra``.
    """
    own = {name: pa.float64() for name in metrics if name not in _METRICS_BEFORE | _METRICS_AFTER}
    return pa.schema(_METRICS_BEFORE | own | _METRICS_AFTER)


def metric_names(schema: pa.Schema) -> list[str]:
    """The metrics that have a column in a metrics log of this schema."""
    return [name for name in schema.names if name not in _METRICS_BEFORE | _METRICS_AFTER]


def no_rows(schema: pa.Schema) -> pa.Table:
    """A table of this schema without rows. pyarrow's own ``empty_table`` imports pandas, which delays Ray."""
    return pa.Table.from_batches([], schema=schema)
