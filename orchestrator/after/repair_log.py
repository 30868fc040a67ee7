"""Puts the newest file of a log that is damaged aside, and writes what is left of it in its place.

Rows that are lost stay lost, and are named. Of reports, those that the events and the table of trials vouch for are
written again, with what these know of them, so that results stand though curves have gaps, and a resume can go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import EVALUATION, MetricRow, State
from orchestrator.formatting import count
from orchestrator.records.atomic_files import replace_file
from orchestrator.records.encode import metrics_table as encoded
from orchestrator.records.in_place_parquet import next_version
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.parquet_log import log_files, read_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.records.salvage import salvage
from orchestrator.records.schema import metrics_schema, no_rows
from orchestrator.records.table_rules import EVENTS_RULES, METRICS
from orchestrator.records.verify import Problem

if TYPE_CHECKING:
    import pyarrow as pa

MOST_NAMED = 12
"""Trials whose losses are named."""


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What was done."""

    file: Path
    text: str


def repair_logs(paths: SweepPaths, problems: Iterable[Problem], check: Callable[[], None]) -> list[Repaired]:
    """Repair the newest files of the logs, where the problems are in these and enough is whole beside them.

    Args:
        paths: The sweep's files.
        problems: What is wrong.
        check: Raises if this process may no longer write.

    Raises:
        RecordsError: A file cannot be written.
    """
    damaged = {problem.file: problem.record for problem in problems}
    if len(damaged) != 1:
        return []
    ((file, record),) = damaged.items()
    if record == "events" and file in log_files(paths.events)[-1:]:
        return _repair_events(paths, file, check)
    if record == "metrics" and file in log_files(paths.metrics)[-1:]:
        return [_repair_metrics(paths, file, check)]
    return []


def _repair_events(paths: SweepPaths, file: Path, check: Callable[[], None]) -> list[Repaired]:
    """Write the events that can be read, and take reports away of which they know no trial."""
    import pyarrow as pa

    kept = salvage(file, EVENTS_RULES)
    sealed = [read_file(each, rules=EVENTS_RULES) for each in log_files(paths.events)[:-1]]
    if kept is None and not sealed:
        return []  # nothing is known of any trial
    written = no_rows(sealed[0].schema) if kept is None else kept
    events = pa.concat_tables([*sealed, written])
    known = {
        trial
        for event, trial in zip(events["event"].to_pylist(), events["trial"].to_pylist(), strict=True)
        if event == State.PENDING
    }
    check()
    aside = _put_aside(file, written)
    done = [
        Repaired(
            file=file,
            text=f"its first {count(written.num_rows, 'event')} can be read and stay, the later ones are lost; trials"
            f" that had not ended by then go on with a resume. The damaged file is {aside}",
        )
    ]
    newest = log_files(paths.metrics)[-1]
    reports = read_file(newest, rules=METRICS)
    belongs = [trial in known for trial in reports["trial"].to_pylist()]
    if not all(belongs):
        lost = sorted({trial for trial in reports["trial"].to_pylist() if trial not in known})
        aside = _put_aside(newest, reports.filter(pa.array(belongs)))
        text = f"without the reports of {_trials(lost)}, of which no event is left. The file as it was is {aside}"
        done.append(Repaired(file=newest, text=text))
    return done


def _repair_metrics(paths: SweepPaths, file: Path, check: Callable[[], None]) -> Repaired:
    """Write the reports that can be read, and those of which the other records know."""
    import pyarrow as pa

    kept = salvage(file, METRICS)
    sealed = [read_file(each, rules=METRICS) for each in log_files(paths.metrics)[:-1]]
    objective = read_sweep_json(paths.info).spec["objective"]
    metric = objective["metric"]
    if kept is None:
        kept = no_rows(sealed[0].schema if sealed else metrics_schema((metric,)))
    last: dict[int, int] = {}
    for table in (*sealed, kept):
        last |= dict(zip(table["trial"].to_pylist(), table["step"].to_pylist(), strict=True))
    last_counts = objective.get("at") == "last"
    rows = [row for row in _vouched_for(paths, metric, last_counts=last_counts) if row.step > last.get(row.trial, -1)]
    written = pa.concat_tables([kept, encoded(rows, kept.schema, paths.name)])
    check()
    aside = _put_aside(file, written)
    lost = sorted({row.trial for row in rows})
    named = [f"{trial} (after step {last[trial]})" if trial in last else f"{trial} (all)" for trial in lost]
    text = f"its first {count(kept.num_rows, 'report')} can be read and stay"
    if lost:
        text += (
            f"; reports are lost of {_trials(named)}, but for the results and the steps at rungs, which other records"
            " have"
        )
    return Repaired(file=file, text=f"{text}. The damaged file is {aside}")


def _vouched_for(paths: SweepPaths, metric: str, *, last_counts: bool) -> list[MetricRow]:
    """The reports that events and the table of trials mention, in the order of their steps."""
    known: dict[tuple[int, int], dict[str, Any]] = {}
    columns = ("event", "trial", "step", "attempt", "at")
    events = events_table(paths)
    for event, trial, step, attempt, at in zip(*(events[name].to_pylist() for name in columns), strict=True):
        if trial is not None and step is not None and event != EVALUATION:
            known.setdefault((trial, step), {"attempt": attempt or 1, "reported_at": at.timestamp()})
    for row in trials_table(paths).to_pylist():
        at = (row["ended_at"] or row["started_at"]).timestamp() if row["ended_at"] or row["started_at"] else time.time()
        result = row["objective_last"] if last_counts and row["state"] != State.DIVERGED else None
        for step, value in ((row["last_step"], result), (row["best_step"], row["objective_best"])):
            if step is not None:
                entry = known.setdefault((row["trial"], step), {"attempt": max(1, row["attempts"]), "reported_at": at})
                entry |= {} if value is None else {metric: value}
                entry |= {"train_s": row["train_s"]} if step == row["last_step"] else {}
    rows, train_s = [], dict.fromkeys((trial for trial, _ in known), 0.0)
    for (trial, step), entry in sorted(known.items()):
        train_s[trial] = max(train_s[trial], entry.get("train_s", 0.0))
        rows.append(
            MetricRow(
                trial=trial,
                attempt=entry["attempt"],
                step=step,
                train_s=train_s[trial],
                reported_at=entry["reported_at"],
                metrics={metric: entry[metric]} if metric in entry else {},
            )
        )
    return rows


def _put_aside(file: Path, rows: pa.Table) -> str:
    """Write a file's rows in its place; returns the hidden name under which the old one stays."""
    number, aside = 1, file.with_name(f".{file.name}.damaged")
    while aside.exists():
        number += 1
        aside = file.with_name(f".{file.name}.damaged{number}")
    content = next_version(rows, None).content
    file.rename(aside)
    replace_file(file, content)
    return aside.name


def _trials(numbers: Sequence[object]) -> str:
    more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:MOST_NAMED]))}{more}"
