"""What holds for every row of the three tables. Readers check it once, when they have read a file.

So whoever uses a table can rely on it, and records that were damaged or edited end in a sentence that names the file.
This is done without pyarrow.compute, whose import takes longer than most commands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from orchestrator.core.rows import ACCOUNT, ENDS, EVALUATION, NODE, PACKING, PROMOTED, Origin, State
from orchestrator.core.schedulers import Action
from orchestrator.errors import DamagedError
from orchestrator.formatting import count
from orchestrator.records.schema import EVENTS, metrics_schema, trials_schema

MOST_TRIALS = 2**31


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of one table."""

    schema: pa.Schema  # the columns that every sweep has
    others: pa.DataType | None = None  # the type of all other columns; None: any
    later: frozenset[str] = frozenset()  # of these, those that records of early versions lack
    filled: frozenset[str] = frozenset()  # columns without nulls
    known: Mapping[str, type[StrEnum]] = field(default_factory=dict)  # columns with a few values, or null
    by_event: Mapping[str, Sequence[str]] = field(default_factory=dict)  # event → what is not null in its rows


TRIALS = Rules(
    schema=trials_schema({}),
    later=frozenset(["startup_s", "diagnosis", "diagnosis_reason", "node_id", "gpus"]),
    filled=frozenset(
        ["trial", "state", "bracket", "seed", "attempts", "failures", "preemptions", "train_s", "overhead_s", "gpu_ids"]
    ),
    known={"state": State, "origin": Origin},
)
METRICS = Rules(
    schema=metrics_schema(()),
    others=pa.float64(),
    filled=frozenset(["trial", "attempt", "step", "train_s", "reported_at"]),
)
OF_TRIALS = ENDS | {State.PENDING, State.RUNNING, State.PAUSED, "retry", PROMOTED}
EVENTS_RULES = Rules(
    schema=EVENTS,
    filled=frozenset(["at", "event"]),
    by_event={
        **dict.fromkeys(sorted(OF_TRIALS), ("trial",)),
        State.PENDING: ("trial", "detail"),
        "rung": ("trial", "rung", "value", "decision"),
        EVALUATION: ("trial", "step", "value", "detail"),
        **dict.fromkeys((ACCOUNT, NODE, PACKING), ("detail",)),
    },
)


def require_columns(names: Collection[str], rules: Rules, path: Path, wanted: Collection[str] | None = None) -> None:
    """Check that a file has the columns that are to be read.

    Args:
        names: The file's columns.
        rules: Those of the table.
        path: The file.
        wanted: What is to be read; None: all columns that every sweep has.

    Raises:
        DamagedError: A column is missing.
    """
    needed = set(rules.schema.names) if wanted is None else set(rules.schema.names) & set(wanted)
    if missing := sorted(needed - rules.later - set(names)):
        raise DamagedError(f"{path} is damaged: it has no column {', '.join(missing)}")


def check(table: pa.Table, rules: Rules, path: Path) -> None:
    """Check the rows of a file, as far as its columns were read.

    Raises:
        DamagedError: A rule is broken.
    """
    for name in table.schema.names:
        column = table[name]
        wanted = rules.schema.field(name).type if name in rules.schema.names else rules.others or column.type
        if column.type != wanted:
            raise DamagedError(f"{path} is damaged: column {name} holds {column.type}, not {wanted}")
        if name in rules.filled and column.null_count:
            raise DamagedError(f"{path} is damaged: column {name} is empty in {count(column.null_count, 'row')}")
        if name in rules.known:
            _require_known(set(column.to_pylist()), rules.known[name], name, path)
        if name == "trial":
            numbers = {number for number in column.to_pylist() if number is not None}
            bounds = min(numbers, default=0), max(numbers, default=0)
            if wrong := [number for number in bounds if not 0 <= number < MOST_TRIALS]:
                raise DamagedError(f"{path} is damaged: {wrong[0]} is no trial's number")
    if rules.by_event and "event" in table.schema.names:
        _check_events(table, rules, path)
    if rules is TRIALS and "trial" in table.schema.names:
        trials = table["trial"].to_pylist()
        if trials != sorted(set(trials)):
            raise DamagedError(f"{path} is damaged: its trials are not in order, or not once")


def _check_events(table: pa.Table, rules: Rules, path: Path) -> None:
    """What is not null depends on the event, and the decisions at rungs are known."""
    events = table["event"].to_pylist()
    for name in ("trial", "step", "rung", "value", "detail"):
        if name in table.schema.names and table[name].null_count:
            empty = {event for event, value in zip(events, table[name].to_pylist(), strict=True) if value is None}
            if wrong := [event for event in sorted(empty) if name in rules.by_event.get(event, ())]:
                raise DamagedError(f"{path} is damaged: column {name} is empty in an event {wrong[0]!r}")
    if "decision" in table.schema.names:
        decisions = zip(events, table["decision"].to_pylist(), strict=True)
        _require_known({decision for event, decision in decisions if event == "rung"}, Action, "decision", path)


def _require_known(values: set[str | None], known: type[StrEnum], name: str, path: Path) -> None:
    unknown = {value for value in values if value is not None} - {each.value for each in known}
    if unknown:
        raise DamagedError(f"{path} is damaged: column {name} holds {min(unknown)[:40]!r}")
