"""The map column ``extra``: metrics that first appeared when the log had several files, whose columns are the same."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

EXTRA = "extra"


def unfolded(metrics: pa.Table) -> pa.Table:
    """A table of metrics with a column for each metric in ``extra``, instead of ``extra``."""
    if metrics[EXTRA].null_count < metrics.num_rows:
        reports = [dict(each or ()) for each in metrics[EXTRA].to_pylist()]
        for name in dict.fromkeys(name for report in reports for name in report):
            free = f"{EXTRA}.{name}" if name in metrics.schema.names else name
            values = pa.array([report.get(name) for report in reports], pa.float64())
            metrics = metrics.append_column(free, values)
    return metrics.drop_columns(EXTRA)


def widened(metrics: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table of metrics in a schema with more columns; their values so far are taken out of ``extra``."""
    new: Sequence[str] = [name for name in schema.names if name not in metrics.schema.names]
    if metrics[EXTRA].null_count < metrics.num_rows:
        reports = [dict(each or ()) for each in metrics[EXTRA].to_pylist()]
        values = {name: [report.pop(name, None) for report in reports] for name in new}
        rest = pa.array([list(report.items()) or None for report in reports], schema.field(EXTRA).type)
        metrics = metrics.set_column(metrics.schema.names.index(EXTRA), schema.field(EXTRA), rest)
    else:
        values = {name: [None] * metrics.num_rows for name in new}
    for name in new:
        metrics = metrics.append_column(schema.field(name), pa.array(values[name], pa.float64()))
    return metrics.select(schema.names)
