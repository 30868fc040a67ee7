"""Reads the records of a sweep into the data of a report. Works while the sweep runs; writes nothing."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.analysis.compare.importance import importance_in
from orchestrator.analysis.diagnosis.diagnose import Diagnosis, diagnose
from orchestrator.analysis.diagnosis.findings.failures import failure_region
from orchestrator.analysis.diagnosis.findings.noise import noise_of
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds
from orchestrator.analysis.report.axes import axes, cell
from orchestrator.analysis.report.certainty import certainty
from orchestrator.analysis.report.curves import curves, spread
from orchestrator.analysis.report.data import Axis, Curves, Point, ReportData, Timeline
from orchestrator.analysis.report.divergence import divergence_map
from orchestrator.analysis.report.scales import scale
from orchestrator.analysis.report.timeline import timeline
from orchestrator.analysis.summary.evaluations import evaluations
from orchestrator.analysis.summary.failures import causes
from orchestrator.analysis.summary.overview import Objective, notes, objective_of, overview
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.analysis.summary.results import read_results
from orchestrator.analysis.summary.rungs import rung_table
from orchestrator.analysis.time.ledger import ledger_in
from orchestrator.core.rows import State
from orchestrator.core.schedulers import RungSummary
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import CONFIG, metric_names

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestrator.analysis.report.curves import Floats

BEST = 5
"""The number of best trials listed."""

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
    info = read_sweep_json(paths.info)
    objective, seen, rungs = objective_of(info), overview(paths), rung_table(paths)
    table = trials_table(paths)
    trial_results, diagnosis = read_results(paths, info), diagnose(paths, info)
    bounds = {each.parameter: each.side for each in at_bounds(trial_results)}
    drawn = axes(info.spec.get("space", {}), dict(_parameters(table, info)))
    points = _points(table, drawn, info, objective, diagnosis)
    ranked = _ranked(points, objective)
    found_curves, best_curve = _curves(paths, objective, points, ranked, rungs)
    found_causes = causes(paths)
    results = [point.value for point in ranked if point.value is not None]
    return ReportData(
        info=info,
        directory=str(paths.root),
        made=datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        overview=seen,
        objective=objective,
        notes=tuple(notes(paths)),
        top=tuple(best_trials(paths, info, BEST)),
        certainty=certainty(results, best_curve, noise_of(trial_results), objective.at),
        findings=tuple(diagnosis.findings),
        evaluations=tuple(evaluations(paths)),
        axes=tuple(replace(axis, hit=bounds.get(axis.name)) for axis in drawn),
        points=points,
        result=scale(results, objective.mode),
        curves=found_curves,
        rungs=tuple(rung for rung in rungs if rung.entered),
        importance=importance_in(paths, info),
        timeline=_timeline(paths, table, now if seen.status in AT_WORK else None),
        divergence=divergence_map(drawn, points),
        causes=tuple(found_causes),
        regions={each.fingerprint: failure_region(trial_results, each.trials) for each in found_causes},
        ledger=ledger_in(paths, info),
        spec=paths.spec.read_text(errors="replace") if paths.spec.is_file() else "",
    )


def _parameters(table: pa.Table, info: SweepInfo) -> Iterator[tuple[str, list[Any]]]:
    """Yield each parameter with its value in every trial; before the first trial, the parameters of the space."""
    columns = [name.removeprefix(CONFIG) for name in table.schema.names if name.startswith(CONFIG)]
    for name in columns or info.spec.get("space", {}):
        values = table[CONFIG + name].to_pylist() if columns else []
        yield name, [json.loads(value) if _as_json(info, name, value) else value for value in values]


def _as_json(info: SweepInfo, name: str, value: Any) -> bool:
    """Whether a recorded string is JSON: choices of mixed types are recorded that way."""
    if not isinstance(value, str):
        return False
    listed = info.spec.get("space", {}).get(name, {})
    options = listed.get("choice") or listed.get("grid") or ()
    return any(not isinstance(option, str) for option in options)


def _points(
    table: pa.Table, drawn: Sequence[Axis], info: SweepInfo, objective: Objective, diagnosis: Diagnosis
) -> tuple[Point, ...]:
    values = dict(_parameters(table, info))
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


def _curves(
    paths: SweepPaths,
    objective: Objective,
    points: Sequence[Point],
    ranked: Sequence[Point],
    rungs: Sequence[RungSummary],
) -> tuple[Curves, list[float]]:
    """The curves to draw, and the best trial's complete objective curve."""
    table = metrics_table(paths)
    trials, steps = (table[name].to_numpy() for name in ("trial", "step"))
    reported = {name: table[name].to_numpy() for name in metric_names(table.schema)} | _later(table)
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


def _later(table: pa.Table) -> dict[str, Floats]:
    """Metrics that first appeared after the first reports and have no column of their own."""
    import numpy as np

    if table["extra"].null_count == len(table):
        return {}
    rows = [dict(each or ()) for each in table["extra"].to_pylist()]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, math.nan) for row in rows]) for name in names}


def _timeline(paths: SweepPaths, table: pa.Table, now: float | None) -> Timeline:
    import pyarrow as pa

    events = events_table(paths, ["at", "event", "trial", "attempt", "reason"])
    at = [microseconds / 1e6 for microseconds in events["at"].cast(pa.int64()).to_pylist()]
    rows: list[Mapping[str, Any]] = [
        {**row, "at": seconds} for row, seconds in zip(events.drop_columns("at").to_pylist(), at, strict=True)
    ]
    nodes = dict(zip(table["trial"].to_pylist(), table["node"].to_pylist(), strict=True))
    return timeline(rows, nodes, now)
