"""What the findings about a sweep rest on, as values: its space, and what became of each trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import Objective, objective_of
from orchestrator.core.rows import Config, State
from orchestrator.errors import SpecError
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import CONFIG
from orchestrator.space.distribution import Distribution
from orchestrator.spec import parse_spec

_COLUMNS = ("trial", "state", "objective", "last_step", "reason", "error_type", "error_message", "error_fingerprint")
_LATER = ("diagnosis", "diagnosis_reason")
"""Columns that early sweeps do not have."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What became of a trial."""

    trial: int
    state: State
    config: Config
    value: float | None = None  # its result; None if it has none, or diverged, or failed
    last_step: int | None = None
    reason: str = ""  # why it ended
    error: str = ""  # of a failed one: the exception's type
    message: str = ""
    cause: str = ""  # the fingerprint that failures of one cause share
    diagnosis: str = ""  # as the driver wrote it down at the trial's end
    diagnosis_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RungEntry:
    """A trial came to a rung with a value."""

    trial: int
    rung: int
    value: float


@dataclass(frozen=True, kw_only=True)
class SweepResults:
    """A sweep, as far as findings need it."""

    objective: Objective
    method: str  # of the search
    space: Mapping[str, Distribution]
    outcomes: Sequence[TrialResult]  # by number
    entries: Sequence[RungEntry] = ()
    planned: int = 0  # trials that the search may propose, tried or not

    def ranked(self) -> list[TrialResult]:
        """Trials with a result, the best first; of equals the earlier one."""
        sign = 1 if self.objective.mode == "min" else -1
        judged = [(sign * each.value, each.trial, each) for each in self.outcomes if each.value is not None]
        return [each for _, _, each in sorted(judged, key=lambda entry: entry[:2])]


def read_results(paths: SweepPaths, info: SweepInfo) -> SweepResults:
    """Read it. A saved spec that this version does not understand leaves the space empty.

    Raises:
        RecordsError: The records are damaged.
    """
    space: Mapping[str, Distribution] = {}
    method = ""
    with suppress(SpecError):
        spec = parse_spec(info.spec, base=paths.root)
        space, method = spec.distributions(), spec.search.method
    whole = trials_table(paths)
    wanted = [name for name in whole.schema.names if name in _COLUMNS + _LATER or name.startswith(CONFIG)]
    return SweepResults(
        objective=objective_of(info),
        method=method,
        space=space,
        outcomes=[_outcome(row, space) for row in whole.select(wanted).to_pylist()],
        entries=_entries(paths),
        planned=info.spec["budget"].get("trials") or 0,
    )


def _outcome(row: Mapping[str, Any], space: Mapping[str, Distribution]) -> TrialResult:
    failed = row["state"] == State.FAILED
    return TrialResult(
        trial=row["trial"],
        state=State(row["state"]),
        config=_config(row, space),
        value=row["objective"],
        last_step=row["last_step"],
        reason=row["reason"] or "",
        error=(failed and row["error_type"]) or "",
        message=(failed and row["error_message"]) or "",
        cause=(failed and row["error_fingerprint"]) or "",
        diagnosis=row.get("diagnosis") or "",
        diagnosis_reason=row.get("diagnosis_reason") or "",
    )


def _config(row: Mapping[str, Any], space: Mapping[str, Distribution]) -> Config:
    cells = ((name, each.kind, row.get(CONFIG + name)) for name, each in space.items())
    return {name: json.loads(cell) if kind == "json" else cell for name, kind, cell in cells if cell is not None}


def _entries(paths: SweepPaths) -> list[RungEntry]:
    table = events_table(paths, ["event", "trial", "rung", "value"])
    columns = (table[name].to_pylist() for name in ("event", "trial", "rung", "value"))
    rows = zip(*columns, strict=True)
    return [RungEntry(trial=trial, rung=rung, value=value) for event, trial, rung, value in rows if event == "rung"]
