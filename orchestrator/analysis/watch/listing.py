"""The trials of a sweep in an order, and only some of them; rows are made of those that are shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.core.rows import Config, State
from orchestrator.records.schema import CONFIG

if TYPE_CHECKING:
    import pyarrow as pa


class Order(StrEnum):
    """What comes first. Of equals the earlier trial does, and what has no value comes last."""

    RUNNING = "running, then best"
    VALUE = "best"
    NEWEST = "newest"
    FURTHEST = "furthest"
    LONGEST = "longest"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trial as it is listed."""

    trial: int
    state: State
    value: float | None  # its result so far
    step: int | None  # its last one
    train_s: float
    node: str | None
    reason: str | None
    config: Config = field(default_factory=dict)


COLUMNS = frozenset(["trial", "state", "bracket", "objective", "best_step", "last_step", "train_s", "node", "reason"])
"""What is read of the table of trials, beside the configurations."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All trials; the table's columns are those of trials.parquet."""

    table: pa.Table
    mode: Literal["min", "max"]

    def ordered(self, order: Order, state: State | None = None) -> list[int]:
        """Where the trials stand in the table, in that order; None: in whatever state."""
        import pyarrow as pa
        import pyarrow.compute as pc

        states, values = self.table["state"], self.table["objective"]
        keys = pa.table(
            {
                "at": pa.array(range(self.table.num_rows), pa.int64()),
                "waits": pc.not_equal(states, State.RUNNING.value),
                "loss": values if self.mode == "min" else pc.negate(values),
                "trial": self.table["trial"],
                "step": self.table["last_step"],
                "train_s": self.table["train_s"],
            }
        )
        if state is not None:
            keys = keys.filter(pc.equal(states, state.value))
        by = [*_KEYS[order], ("trial", "ascending")]
        found: list[int] = keys["at"].take(pc.sort_indices(keys, by)).to_pylist()
        return found

    def trials(self, places: Sequence[int]) -> list[int]:
        """The numbers of the trials that stand there."""
        return [self._numbers[place] for place in places]

    @cached_property
    def _numbers(self) -> list[int]:
        found: list[int] = self.table["trial"].to_pylist()
        return found

    def rows(self, places: Sequence[int]) -> list[Row]:
        """The trials that stand at these places of the table."""
        names = [name for name in self.table.schema.names if name.startswith(CONFIG)]
        return [_row(each, names) for each in self.table.take(list(places)).to_pylist()] if places else []

    def column(self, name: str) -> dict[int, Any]:
        """What each trial has there."""
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
        """The last step that any trial came to."""
        import pyarrow.compute as pc

        return pc.max(self.table["last_step"]).as_py() or 0


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """A node, and the trials that ran there last."""

    node: str
    states: Mapping[State, int]

    @property
    def running(self) -> int:
        """Trials that run there."""
        return self.states.get(State.RUNNING, 0)

    @property
    def ended(self) -> int:
        """Trials that have ended there."""
        return sum(count for state, count in self.states.items() if state.ended)

    @property
    def failed(self) -> int:
        """Of them, those that failed."""
        return self.states.get(State.FAILED, 0)


def curves(metrics: pa.Table | None, metric: str, trials: Collection[int]) -> dict[int, list[tuple[int, float]]]:
    """The steps and values of a metric, for each of the trials that reported any.

    Args:
        metrics: Rows of a metrics log.
        metric: A column of it.
        trials: Their numbers.
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
