"""The trials of a sweep, sorted and filtered; only rows that are shown become Python objects."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.analysis.outlook import recorded as outlook
from orchestrator.core.rows import Config, State
from orchestrator.records.schema import CONFIG

if TYPE_CHECKING:
    import pyarrow as pa


class Order(StrEnum):
    """The order of trials. Ties are sorted by number, missing values come last."""

    RUNNING = "running, then best"
    VALUE = "best"
    NEWEST = "newest"
    FURTHEST = "furthest"
    LONGEST = "longest"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trial in the list."""

    trial: int
    state: State
    value: float | None  # the result so far
    step: int | None  # the last step
    train_s: float
    node: str | None
    reason: str | None
    config: Config = field(default_factory=dict)


_COMPARISON = re.compile(r"(?P<name>[^<>=]+)(?P<sign><=|>=|=|<|>)(?P<value>.+)")
_SEARCHED = frozenset(["state", "node", "reason"])

COLUMNS = frozenset(["trial", "bracket", "best_step", "last_step", "train_s", "node", "reason", *outlook.COLUMNS])
"""The columns read from the table of trials, besides the configurations."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All trials, in a table with the columns of trials.parquet."""

    table: pa.Table
    mode: Literal["min", "max"]
    metric: str = "objective"  # the name of the objective in a filter text

    def ordered(self, order: Order, state: State | None = None, text: str = "") -> list[int]:
        """The row numbers of trials in the table, sorted and filtered.

        Args:
            order: The order.
            state: Only trials in this state; None: in any.
            text: Only trials that match each of its words; see :func:`matching`.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        states, values = self.table["state"], self.table["objective"]
        keys = pa.table(
            {
                "at": pa.array(range(self.table.num_rows), pa.int64()),
                "state": states,
                "waits": pc.not_equal(states, State.RUNNING.value),
                "loss": values if self.mode == "min" else pc.negate(values),
                "trial": self.table["trial"],
                "step": self.table["last_step"],
                "train_s": self.table["train_s"],
            }
        )
        if text.strip():
            keys = keys.filter(matching(self.table, text, self.metric))
        if state is not None:
            keys = keys.filter(pc.equal(keys["state"], state.value))
        by = [*_KEYS[order], ("trial", "ascending")]
        found: list[int] = keys["at"].take(pc.sort_indices(keys, by)).to_pylist()
        return found

    def trials(self, places: Sequence[int]) -> list[int]:
        """The numbers of the trials in these rows."""
        return [self._numbers[place] for place in places]

    @cached_property
    def _numbers(self) -> list[int]:
        found: list[int] = self.table["trial"].to_pylist()
        return found

    def row(self, trial: int) -> Row | None:
        """The trial with this number; None if there is none."""
        return self.rows([self._numbers.index(trial)])[0] if trial in self._numbers else None

    def rows(self, places: Sequence[int]) -> list[Row]:
        """The trials in these rows of the table."""
        names = [name for name in self.table.schema.names if name.startswith(CONFIG)]
        return [_row(each, names) for each in self.table.take(list(places)).to_pylist()] if places else []

    def column(self, name: str) -> dict[int, Any]:
        """A column's values by trial number."""
        return dict(zip(self.table["trial"].to_pylist(), self.table[name].to_pylist(), strict=True))

    @cached_property
    def states(self) -> dict[State, int]:
        """How many trials there are in each state."""
        counts = {each["values"]: each["counts"] for each in self.table["state"].value_counts().to_pylist()}
        return {state: counts[state] for state in State if state in counts}

    @cached_property
    def best(self) -> Row | None:
        """The best trial so far."""
        (place,) = self.ordered(Order.VALUE)[:1] or (None,)
        if place is None or self.table["objective"][place].as_py() is None:
            return None
        return self.rows([place])[0]

    @cached_property
    def nodes(self) -> list[NodeRow]:
        """The nodes on which trials have run, by name."""
        trials = self.table.select(["node", "state", "train_s"]).group_by(["node", "state"])
        found: dict[str, dict[State, int]] = {}
        for each in trials.aggregate([("state", "count")]).to_pylist():
            if each["node"] is not None:
                found.setdefault(each["node"], {})[State(each["state"])] = each["state_count"]
        return [NodeRow(node=node, states=states) for node, states in sorted(found.items())]

    @cached_property
    def length(self) -> int:
        """The highest step that any trial reached."""
        import pyarrow.compute as pc

        return pc.max(self.table["last_step"]).as_py() or 0


def matching(table: pa.Table, text: str, metric: str) -> pa.ChunkedArray:
    """A mask of the trials that match every word of a text.

    ``lr<0.01``, ``layers>=2`` and ``loss<0.3`` compare numbers; ``optimizer=ad`` matches values with that prefix; any
    other word is searched, ignoring case, in the state, the node, the reason and the configuration. ``step``,
    ``trained`` and the metric can be used as column names too.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.chunked_array([pa.array([True] * table.num_rows, pa.bool_())])
    for word in text.split():
        compared = _COMPARISON.fullmatch(word)
        column = _column(table, compared["name"], metric) if compared is not None else None
        if compared is not None and column is not None:
            mask = _compared(column, compared["sign"], compared["value"])
        else:
            names = [name for name in table.schema.names if name in _SEARCHED or name.startswith(CONFIG)]
            masks = [pc.match_substring(pc.cast(table[name], pa.string()), word, ignore_case=True) for name in names]
            mask = pc.fill_null(masks[0], False)
            for other in masks[1:]:
                mask = pc.or_(mask, pc.fill_null(other, False))
        found = pc.and_(found, pc.fill_null(mask, False))
    return found


def _column(table: pa.Table, name: str, metric: str) -> pa.ChunkedArray | None:
    short = {metric: "objective", "step": "last_step", "trained": "train_s"}
    for each in (CONFIG + name, short.get(name, name)):
        if each in table.schema.names:
            return table[each]
    return None


def _compared(column: pa.ChunkedArray, sign: str, value: str) -> pa.ChunkedArray:
    """Compare a column with a typed value; < and > match nothing unless the value is a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if sign == "=":
        return pc.starts_with(pc.cast(column, pa.string()), value)
    try:
        bound = float(value)
    except ValueError:
        bound = math.nan
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return pa.chunked_array([pa.array([False] * len(column), pa.bool_())])
    compare = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}[sign]
    return compare(pc.cast(column, pa.float64()), bound)


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """A node, and the trials whose last attempt ran there."""

    node: str
    states: Mapping[State, int]

    @property
    def running(self) -> int:
        """Trials running on the node."""
        return self.states.get(State.RUNNING, 0)

    @property
    def ended(self) -> int:
        """Trials that ended on the node."""
        return sum(count for state, count in self.states.items() if state.ended)

    @property
    def failed(self) -> int:
        """Trials that failed on the node."""
        return self.states.get(State.FAILED, 0)


def curves(metrics: pa.Table | None, metric: str, trials: Collection[int]) -> dict[int, list[tuple[int, float]]]:
    """The steps and values of a metric, for each trial that reported any.

    Args:
        metrics: Rows of the metrics log.
        metric: The name of a metric.
        trials: Trial numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if metrics is None or metric not in metrics.schema.names:
        return {}
    own = metrics.filter(pc.is_in(metrics["trial"], value_set=pa.array(trials, pa.int64())))
    found: dict[int, list[tuple[int, float]]] = {}
    rows = zip(*(own[name].to_pylist() for name in ("trial", "step", metric)), strict=True)
    for trial, step, value in rows:
        if value is not None:
            found.setdefault(trial, []).append((step, value))
    return found


_KEYS: Mapping[Order, list[tuple[str, str]]] = {
    Order.RUNNING: [("waits", "ascending"), ("loss", "ascending")],
    Order.VALUE: [("loss", "ascending")],
    Order.NEWEST: [("trial", "descending")],
    Order.FURTHEST: [("step", "descending"), ("loss", "ascending")],
    Order.LONGEST: [("train_s", "descending")],
}


def _row(row: Mapping[str, Any], names: Sequence[str]) -> Row:
    return Row(
        trial=row["trial"],
        state=State(row["state"]),
        value=row["objective"],
        step=row["last_step"],
        train_s=row["train_s"] or 0.0,
        node=row["node"],
        reason=row["reason"],
        config={name.removeprefix(CONFIG): row[name] for name in names if row[name] is not None},
    )
