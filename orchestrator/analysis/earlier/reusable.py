"""Finds what earlier sweeps have trained that a new one would train again: same code, data, values and seeds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.analysis.earlier.differences import Differences
from orchestrator.analysis.summary.ranking import configs
from orchestrator.core.build import build_sweep
from orchestrator.core.reuse import Training, Trainings, training_key
from orchestrator.core.rows import State
from orchestrator.core.search.earlier import Earlier
from orchestrator.errors import RecordsError
from orchestrator.formatting import count
from orchestrator.records.decode import metric_rows
from orchestrator.records.find import find_sweeps
from orchestrator.records.load import metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.spec.fingerprint import code_fingerprints, fingerprints
from orchestrator.spec.recorded_spec import given_values
from orchestrator.spec.source import Source

LOOKED_AT = 10
"""Trials of the new sweep for which an offer looks: what an adaptive search proposes later depends on results."""


@dataclass(frozen=True, kw_only=True)
class Reusable:
    """Trainings to take over, and sentences about them."""

    trainings: Trainings = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def reusable_trainings(source: Source, results: Path) -> Reusable:
    """The finished trials of all sweeps in ``results`` that the new sweep can take over.

    Completed trials count, and those whose objective diverged. Sweeps of another trainable are passed over without a
    word, as are those whose records cannot be read.

    Args:
        source: The new sweep.
        results: The results directory.
    """
    found: dict[str, Training] = {}
    notes = []
    for paths, info, why in _candidates(source, find_sweeps(results)):
        if why:
            notes.append(f"takes nothing over from {info.name}: {why}")
            continue
        new = {}
        with suppress(RecordsError):
            new = {key: each for key, each in _trainings(paths, info, source).items() if key not in found}
        found |= new
        if new:
            trials = count(len(new), "finished trial")
            notes.append(
                f"{info.name} has {trials}: those with a configuration and a seed of this sweep are taken over"
            )
    return Reusable(trainings=found, notes=tuple(notes))


def offered_trainings(source: Source, results: Path, earlier: Sequence[Earlier]) -> Reusable:
    """No trainings; a sentence if a sweep of the same name has finished trials with which the new one will begin.

    Args:
        source: The new sweep.
        results: The results directory.
        earlier: What the search of the new sweep learns from.
    """
    if source.file is None:  # written by confirm, repro or a program, for which there is no --reuse
        return Reusable()
    if source.spec.search.is_own or source.spec.search.method == "optuna":  # it may do anything when it is made
        return Reusable()
    same_name = re.compile(rf"{re.escape(source.name)}(-\d+)?").fullmatch
    names = sorted((name for name in _listed(results) if same_name(name)), key=lambda name: (len(name), name))
    trained: dict[str, str] = {}  # in which sweep, by key
    for paths, info, why in _candidates(source, [SweepPaths(results / name) for name in names]):
        if not why and info.seed == source.spec.search.seed:
            with suppress(RecordsError):
                trained = dict.fromkeys(_finished(paths, info), info.name) | trained
    if not trained:
        return Reusable()
    space = source.spec.parameter_space()
    sweep = build_sweep(source.spec, source.declaration, base=source.base, earlier=earlier)
    for start in filter(None, (sweep.ask(0.0) for _ in range(LOOKED_AT))):
        if name := trained.get(training_key(space.given(start.config), start.seed)):
            text = f"{name} has finished trials that this sweep trains again; sweep launch --reuse takes them over"
            return Reusable(notes=(text,))
    return Reusable()


def _listed(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _candidates(source: Source, sweeps: Sequence[SweepPaths]) -> Iterator[tuple[SweepPaths, SweepInfo, str]]:
    """Sweeps of the same trainable, and why nothing can be taken over from each; "" if something can.

    None for a function from Python: what it holds, as a closure or a partial does, is not recorded.
    """
    now = None
    for paths in sweeps if source.function is None else ():
        try:
            info = read_sweep_json(paths.info)
        except RecordsError:
            continue
        if info.trainable == str(source.spec.trained):
            now = now or fingerprints(source.code, source.spec, source.declaration, source.base)
            differences = Differences(before=info, source=source, now=now)
            yield paths, info, next(_reasons(differences), "")


def _reasons(differences: Differences) -> Iterator[str]:
    info, spec = differences.before, differences.source.spec
    if differences.fatal:
        yield differences.fatal
    if info.given == "memory":
        yield "its trainable was given from Python, and what that held is not recorded"
    if not code_fingerprints(info.fingerprints) or not code_fingerprints(differences.now):
        yield "the code of the trainable is not recorded"
    yield from differences.mild
    if any(entry.get("changed") for entry in info.resumed):
        yield "it was resumed with other code or data"
    if any(entry.get("full_length_before") or entry.get("max_time_before") for entry in info.resumed):
        yield "its trainings were made longer by a resume"
    scheduler = spec.scheduler
    max_, unit = (None, None) if scheduler is None or scheduler.max is None else (scheduler.max, scheduler.unit)
    for section, key, now in (
        ("objective", "diverged_above", spec.objective.diverged_above),
        ("scheduler", "max", max_),
        *([("scheduler", "unit", unit)] if max_ is not None else []),
        ("trial", "max_time", spec.trial.max_time),
    ):
        before: Any = (info.spec.get(section) or {}).get(key)
        if before != now:
            yield f"{section}.{key} was {_set(before)} and is {_set(now)}"


def _set(value: float | str | None) -> str:
    return "not set" if value is None else value if isinstance(value, str) else f"{value:g}"


def _finished(paths: SweepPaths, info: SweepInfo) -> dict[str, dict[str, Any]]:
    """The rows of a sweep's finished trials, by the keys of their trainings."""
    rows = {
        row["trial"]: row
        for row in trials_table(paths, ["trial", "state", "seed", "reason"]).to_pylist()
        if row["state"] in (State.COMPLETED, State.DIVERGED)
    }
    found = configs(paths, rows) if rows else {}
    given = given_values(info.spec)
    return {training_key(given(config), rows[trial]["seed"]): rows[trial] for trial, config in found.items()}


def _trainings(paths: SweepPaths, info: SweepInfo, source: Source) -> dict[str, Training]:
    """The trainings of a sweep, by their keys."""
    finished = _finished(paths, info)
    reports: dict[int, list[tuple[int, Any]]] = {row["trial"]: [] for row in finished.values()}
    for report in metric_rows(metrics_table(paths)) if reports else ():
        if report.trial in reports:
            reports[report.trial].append((report.step, report.metrics))
    objective, found = source.spec.objective, {}
    for key, row in finished.items():
        reported = reports[row["trial"]]
        values = [metrics[objective.metric] for _, metrics in reported if objective.metric in metrics]
        if not values or objective.diverges(values[-1]) != (row["state"] == State.DIVERGED):
            continue  # an overflow, of which no report tells
        found[key] = Training(sweep=info.name, trial=row["trial"], reason=row["reason"] or "", reports=tuple(reported))
    return found
