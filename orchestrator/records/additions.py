"""Further reports of a step that has a row already: of training first, then of validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from orchestrator.core.rows import MetricRow
from orchestrator.records.decode import metric_rows
from orchestrator.records.encode import metrics_table


def joined(row: MetricRow, more: MetricRow) -> MetricRow:
    """A row with the metrics that only a further report of its step has."""
    return replace(row, metrics={**row.metrics, **more.metrics, **row.metrics})


def completed(table: pa.Table, additions: Sequence[MetricRow], sweep: str) -> pa.Table:
    """A table of metrics in which rows have what further reports of their steps add, as far as it has these rows."""
    import pyarrow.compute as pc  # takes longer to import than most commands

    added: dict[int, MetricRow] = {}  # by the place of the row
    for more in additions:
        own = pc.and_(pc.equal(table["trial"], more.trial), pc.equal(table["step"], more.step))
        at = pc.index(own, True).as_py()
        if at >= 0:
            added[at] = joined(added.get(at) or metric_rows(table.slice(at, 1))[0], more)
    if not added:
        return table
    places = list(range(table.num_rows))
    for number, at in enumerate(added):
        places[at] = table.num_rows + number
    return pa.concat_tables([table, metrics_table(list(added.values()), table.schema, sweep)]).take(places)
