"""Checks whether the records of a sweep are what a sweep writes: each file by itself, then one against the other.

A driver may have been killed at any moment. That the table of trials lags behind the logs, or that a report stands
without the decision on it, is no damage: :mod:`orchestrator.records.recorder` has the order of writing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from orchestrator.core.rows import EVALUATION, State
from orchestrator.errors import DamagedError, RecordsError
from orchestrator.formatting import listed
from orchestrator.records.details import parsed_detail
from orchestrator.records.parquet_log import log_files, read_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import CONFIG, no_rows
from orchestrator.records.table_rules import EVENTS_RULES, METRICS, TRIALS, Rules

Record = Literal["sweep", "metrics", "events", "trials"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with the records."""

    record: Record
    file: Path  # or the directory of a log
    text: str  # a sentence that names the file


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was checked, and what was found."""

    problems: tuple[Problem, ...]
    files: int
    trials: int
    reports: int
    events: int


def verify(paths: SweepPaths) -> Verification:
    """Check all records of a sweep that is not running."""
    problems: list[Problem] = []
    info = _info(paths, problems)
    metrics = _log(paths.metrics, METRICS, "metrics", problems)
    events = _log(paths.events, EVENTS_RULES, "events", problems)
    trials = _trials(paths, problems)
    if info is not None and all(problem.record == "trials" for problem in problems):
        problems += _compared(paths, info, _whole(metrics, METRICS), _whole(events, EVENTS_RULES), trials)
    return Verification(
        problems=tuple(problems),
        files=sum(each is not None for each in (info, trials, *metrics, *events)),
        trials=0 if trials is None else trials.num_rows,
        reports=sum(table.num_rows for table in metrics),
        events=sum(table.num_rows for table in events),
    )


def require_sound(paths: SweepPaths) -> None:
    """Check all records before a sweep goes on.

    Raises:
        DamagedError: Something is wrong with them. The error names the first file, and how to see the rest.
    """
    if problems := verify(paths).problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise DamagedError(f"{problems[0].text}{more}; see: sweep verify {paths.name}")


def _info(paths: SweepPaths, problems: list[Problem]) -> SweepInfo | None:
    try:
        return read_sweep_json(paths.info)
    except RecordsError as error:
        problems.append(Problem(record="sweep", file=paths.info, text=str(error)))
        return None


def _log(directory: Path, rules: Rules, record: Record, problems: list[Problem]) -> list[pa.Table]:
    """The rows of each file that can be read."""
    tables: list[pa.Table] = []
    try:
        files = log_files(directory)
    except RecordsError as error:
        problems.append(Problem(record=record, file=directory, text=str(error)))
        return tables
    for file in files:
        try:
            table = read_file(file, rules=rules)
            if tables and table.schema != tables[0].schema:
                raise DamagedError(f"{file} has other columns than {files[0]}")
            tables.append(table)
        except RecordsError as error:
            problems.append(Problem(record=record, file=file, text=str(error)))
    return tables


def _trials(paths: SweepPaths, problems: list[Problem]) -> pa.Table | None:
    try:
        return read_file(paths.trials_table, rules=TRIALS) if paths.trials_table.exists() else None
    except RecordsError as error:
        problems.append(Problem(record="trials", file=paths.trials_table, text=str(error)))
        return None


def _whole(tables: list[pa.Table], rules: Rules) -> pa.Table:
    return pa.concat_tables(tables) if tables else no_rows(rules.schema)


def _compared(
    paths: SweepPaths, info: SweepInfo, metrics: pa.Table, events: pa.Table, trials: pa.Table | None
) -> Iterator[Problem]:
    """What is wrong between the records, at most one problem of each kind."""
    configs: dict[int, dict[str, Any]] = {}
    states: dict[int, set[str]] = {}
    steps: list[tuple[int, int]] = []
    columns = ("event", "trial", "step", "detail")
    for row, (event, trial, step, text) in enumerate(zip(*(events[name].to_pylist() for name in columns), strict=True)):
        try:
            detail = parsed_detail(event, text, paths.events)
        except DamagedError as error:
            yield Problem(record="events", file=paths.events, text=str(error))
            return
        if trial is None:
            continue
        if event == State.PENDING and trial not in configs:
            if trial != len(configs):
                lost = f"the beginning of trial {len(configs)} is lost, before trial {trial} in row {row}"
                yield Problem(record="events", file=paths.events, text=f"{paths.events} is damaged: {lost}")
                return
            configs[trial] = detail["config"]
        elif trial not in configs or event == State.PENDING:
            twice = "begins twice" if trial in configs else "has no beginning"
            text = f"{paths.events} is damaged: trial {trial} {twice}, in row {row}"
            yield Problem(record="events", file=paths.events, text=text)
            return
        states.setdefault(trial, set()).add(event)
        if step is not None and event != EVALUATION:
            steps.append((trial, step))
    problem = _of_reports(paths, metrics, set(configs), steps)
    if problem is not None:
        yield problem
    elif trials is not None:
        yield from _of_table(paths, info, metrics, configs, states, trials)


def _of_reports(paths: SweepPaths, metrics: pa.Table, known: set[int], steps: list[tuple[int, int]]) -> Problem | None:
    """Whether each report belongs to a trial and stands once, and each step of an event was reported."""
    last: dict[int, int] = {}
    reported = set()
    for row, at in enumerate(zip(metrics["trial"].to_pylist(), metrics["step"].to_pylist(), strict=True)):
        trial, step = at
        if trial not in known:
            text = f"{paths.events} is damaged: it lacks trial {trial}, of which {paths.metrics} has reports"
            return Problem(record="events", file=paths.events, text=text)
        if at in reported or step <= last.get(trial, -1):
            what = "a second time" if at in reported else "after later ones"
            text = f"{paths.metrics} is damaged: row {row} has step {step} of trial {trial} {what}"
            return Problem(record="metrics", file=paths.metrics, text=text)
        reported.add(at)
        last[trial] = step
    if lost := sorted({trial for trial, step in steps if (trial, step) not in reported}):
        names = listed([str(trial) for trial in lost])
        text = f"{paths.metrics} is damaged: it lacks reports of trial{'s' if len(lost) > 1 else ''} {names}"
        return Problem(record="metrics", file=paths.metrics, text=text)
    return None


def _of_table(
    paths: SweepPaths,
    info: SweepInfo,
    metrics: pa.Table,
    configs: dict[int, dict[str, Any]],
    states: dict[int, set[str]],
    trials: pa.Table,
) -> Iterator[Problem]:
    """Whether the table of trials says nothing that the logs do not."""
    metric = info.spec["objective"]["metric"]
    values = {}
    if metric in metrics.schema.names:
        columns = (metrics[name].to_pylist() for name in ("trial", "step", metric))
        values = {(trial, step): value for trial, step, value in zip(*columns, strict=True) if value is not None}
    for row in trials.to_pylist():
        trial, best = row["trial"], row["objective_best"]
        wrong = ""
        if trial not in configs:
            wrong = "of which the events say nothing"
        elif row["state"] not in states[trial] | {State.PENDING}:
            wrong = f"which is {row['state']} by the table, but not by the events"
        elif any(f"{CONFIG}{name}" not in row for name in configs[trial]):
            wrong = "whose configuration has a parameter without a column"
        elif best is not None and values and not _same(values.get((trial, row["best_step"])), best):
            wrong = f"whose best value, {best!r}, was not reported at step {row['best_step']}"
        if wrong:
            text = f"{paths.trials_table} is damaged: it has trial {trial}, {wrong}"
            yield Problem(record="trials", file=paths.trials_table, text=text)
            return


def _same(one: float | None, other: float) -> bool:
    return one is not None and (one == other or (math.isnan(one) and math.isnan(other)))
