"""Reads the records of a sweep into the data of a report. Works while the sweep runs; writes nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.analysis.compare.importance import importance_in
from orchestrator.analysis.diagnosis.diagnose import Diagnosis, diagnose
from orchestrator.analysis.diagnosis.findings.failures import failure_region
from orchestrator.analysis.diagnosis.findings.noise import noise_of
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds
from orchestrator.analysis.report.axes import axes, cell
from orchestrator.analysis.report.best import best_config
from orchestrator.analysis.report.certainty import certainty
from orchestrator.analysis.report.curves import curves, spread
from orchestrator.analysis.report.data import Axis, Curves, Point, Progress, ReportData, Timeline
from orchestrator.analysis.report.divergence import divergence_map
from orchestrator.analysis.report.logs import log_ends
from orchestrator.analysis.report.next_changes import next_changes
from orchestrator.analysis.report.progress import progress
from orchestrator.analysis.report.scales import scale
from orchestrator.analysis.report.timeline import timeline
from orchestrator.analysis.summary.evaluations import evaluations
from orchestrator.analysis.summary.failures import Cause, causes
from orchestrator.analysis.summary.overview import Objective, notes, objective_of, overview
from orchestrator.analysis.summary.results import read_results
from orchestrator.analysis.summary.rungs import rung_table
from orchestrator.analysis.time.ledger import Ledger, ledger_in
from orchestrator.core.rows import State
from orchestrator.core.rung_unit import recorded_unit
from orchestrator.core.schedulers import RungSummary
from orchestrator.records.details import parsed_cell
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import read_text
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import CONFIG, metric_names
from orchestrator.spec.sections import Unit

if TYPE_CHECKING:
    import pyarrow as pa


TOP = 10
"""The best trials, whose logs are on the page before those of any other."""

AT_WORK = ("running", "running?")


def collect(paths: SweepPaths, now: float | None = None) -> ReportData:
    """Collect the data of a report.

    Args:
        paths: The sweep's directory.
        now: The current time, seconds since the epoch; None: read the clock.

    Raises:
        RecordsError: The records are damaged.
    """
    now = time.time() if now is None else now
    info = replace(read_sweep_json(paths.info), name=paths.name)
    objective, seen, rungs = objective_of(info), overview(paths), rung_table(paths)
    table = trials_table(paths)
    trial_results, diagnosis = read_results(paths, info), diagnose(paths, info)
    bounds = {each.parameter: each.side for each in at_bounds(trial_results)}
    drawn = axes(info.spec.get("space", {}), dict(_parameters(table, info, paths.trials_table)))
    points = _points(table, drawn, info, objective, diagnosis, paths.trials_table)
    ranked = _ranked(points, objective)
    unit = recorded_unit(info.spec)
    found_curves, best_curve = _curves(paths, objective, points, ranked, rungs, unit)
    found_causes, ledger = causes(paths), ledger_in(paths, info)
    importance = importance_in(paths, info)
    results = [point.value for point in ranked if point.value is not None]
    return ReportData(
        info=info,
        directory=str(paths.root),
        made=datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        overview=seen,
        objective=objective,
        notes=tuple(notes(paths)),
        best=best_config(paths, info),
        certainty=certainty(results, best_curve, noise_of(trial_results), objective),
        findings=tuple(diagnosis.findings),
        evaluations=tuple(evaluations(paths)),
        axes=tuple(replace(axis, hit=bounds.get(axis.name)) for axis in drawn),
        points=points,
        result=scale(results, objective.mode),
        curves=found_curves,
        unit=unit,
        rungs=tuple(rung for rung in rungs if rung.entered),
        progress=_progress(table, ledger),
        importance=importance,
        next=next_changes(paths, info, importance),
        timeline=_timeline(paths, table, now if seen.status in AT_WORK else None),
        divergence=divergence_map(drawn, points),
        causes=tuple(found_causes),
        regions={each.fingerprint: failure_region(trial_results, each.trials) for each in found_causes},
        ledger=ledger,
        logs=log_ends(paths, _most_read(points, ranked, found_causes)),
        spec=read_text(paths.spec),
    )


def _parameters(table: pa.Table, info: SweepInfo, table_at: Path) -> Iterator[tuple[str, list[Any]]]:
    """Yield each parameter with its value in every trial; before the first trial, the parameters of the space."""
    columns = [name.removeprefix(CONFIG) for name in table.schema.names if name.startswith(CONFIG)]
    for name in columns or info.spec.get("space", {}):
        values = table[CONFIG + name].to_pylist() if columns else []
        yield name, [parsed_cell(value, name, table_at) if _as_json(info, name, value) else value for value in values]


def _as_json(info: SweepInfo, name: str, value: Any) -> bool:
    """Whether a recorded string is JSON: choices of mixed types are recorded that way."""
    if not isinstance(value, str):
        return False
    listed = info.spec.get("space", {}).get(name, {})
    options = listed.get("choice") or listed.get("grid") or ()
    return any(not isinstance(option, str) for option in options)


def _points(
    table: pa.Table,
    drawn: Sequence[Axis],
    info: SweepInfo,
    objective: Objective,
    diagnosis: Diagnosis,
    table_at: Path,
) -> tuple[Point, ...]:
    values = dict(_parameters(table, info, table_at))
    verdicts = {trial: verdict for trial, (verdict, *_) in diagnosis.verdicts.items()}
    return tuple(
        Point(
            trial=row["trial"],
            state=State(row["state"]),
            value=row["objective"],
            step=row["best_step"] if objective.at == "best" else row["last_step"],
            last_step=row["last_step"],
            train_s=row["train_s"] or 0.0,
            reason=row["reason"] or "",
            verdict=verdicts[row["trial"]].kind.words if row["trial"] in verdicts else "",
            because=verdicts[row["trial"]].sentence if row["trial"] in verdicts else "",
            cells={
                axis.name: cell(axis, value)
                for axis in drawn
                if axis.name in values and (value := values[axis.name][number]) is not None
            },
        )
        for number, row in enumerate(table.select(_POINT).to_pylist())
    )


_POINT = ["trial", "state", "objective", "best_step", "last_step", "train_s", "reason"]


def _ranked(points: Sequence[Point], objective: Objective) -> list[Point]:
    sign = 1 if objective.mode == "min" else -1
    judged = ((sign * point.value, point.trial, point) for point in points if point.value is not None)
    return [point for *_, point in sorted(judged)]


def _most_read(points: Sequence[Point], ranked: Sequence[Point], found_causes: Sequence[Cause]) -> Iterable[int]:
    """All trials, by how likely their logs are read: the best, one of each cause, failed, diverged, others."""
    broken = (State.FAILED, State.DIVERGED)
    return dict.fromkeys(
        [
            *(point.trial for point in ranked[:TOP]),
            *(cause.trials[0] for cause in found_causes),
            *(point.trial for state in broken for point in points if point.state is state),
            *(point.trial for point in [*ranked, *points]),
        ]
    )


def _curves(
    paths: SweepPaths,
    objective: Objective,
    points: Sequence[Point],
    ranked: Sequence[Point],
    rungs: Sequence[RungSummary],
    unit: Unit,
) -> tuple[Curves, list[float]]:
    """The curves to draw, over what rungs count, and the best trial's complete objective curve."""
    table = metrics_table(paths)
    trials, steps = (table[name].to_numpy() for name in ("trial", "train_s" if unit == "seconds" else "step"))
    reported = {name: table[name].to_numpy() for name in metric_names(table.schema)}
    metrics = {objective.metric: steps * math.nan} | reported  # the objective first
    with_result = [point.trial for point in ranked]
    without = sorted({point.trial for point in points}.difference(with_result))
    found = curves(
        trials,
        steps,
        metrics,
        modes={objective.metric: objective.mode},
        chosen=spread([*with_result, *without]),
        keep={rung.rung for rung in rungs},
        wild={point.trial for point in points if point.state is State.DIVERGED},
    )
    if not ranked:
        return found, []
    return found, metrics[objective.metric][trials == ranked[0].trial].tolist()


def _progress(table: pa.Table, ledger: Ledger) -> Progress:
    import pyarrow as pa

    ended = table["ended_at"].cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()
    columns = [name for name in ("trial", "state", "train_s", "gpus") if name in table.schema.names]
    rows = table.select(columns).to_pylist()
    return progress(({**row, "ended_at": at} for row, at in zip(rows, ended, strict=True)), ledger.unit)


def _timeline(paths: SweepPaths, table: pa.Table, now: float | None) -> Timeline:
    import pyarrow as pa

    events = events_table(paths, ["at", "event", "trial", "attempt", "reason"])
    at = [microseconds / 1e6 for microseconds in events["at"].cast(pa.int64()).to_pylist()]
    rows: list[Mapping[str, Any]] = [
        {**row, "at": seconds} for row, seconds in zip(events.drop_columns("at").to_pylist(), at, strict=True)
    ]
    nodes = dict(zip(table["trial"].to_pylist(), table["node"].to_pylist(), strict=True))
    return timeline(rows, nodes, now)
