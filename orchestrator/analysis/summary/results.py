"""A sweep's space and the result of each trial, as values: the input of diagnosis, importance and `sweep next`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import Objective, objective_of
from orchestrator.core.build import trial_count
from orchestrator.core.rows import Config, State
from orchestrator.core.rung_unit import reached, recorded_unit
from orchestrator.errors import SpecError, UserError
from orchestrator.records.decode import config_of, require_kinds
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import CONFIG
from orchestrator.space.distribution import Distribution
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.sections import Unit

_COLUMNS = (
    "trial",
    "state",
    "objective",
    "last_step",
    "train_s",
    "reason",
    "error_type",
    "error_message",
    "error_fingerprint",
)
_LATER = ("diagnosis", "diagnosis_reason")
"""Columns that records of early versions lack."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """How one trial ended, and with what result."""

    trial: int
    state: State
    config: Config
    value: float | None = None  # the result; None if there is none, or the trial diverged or failed
    last_step: int | None = None
    train_s: float = 0.0
    reason: str = ""  # why the trial ended
    error: str = ""  # the exception's type, if the trial failed
    message: str = ""
    cause: str = ""  # the fingerprint shared by failures of one cause
    diagnosis: str = ""  # as the driver recorded it when the trial ended
    diagnosis_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RungEntry:
    """A trial reached a rung with a value."""

    trial: int
    rung: int  # in the unit of the rungs
    value: float


@dataclass(frozen=True, kw_only=True)
class SweepResults:
    """The objective, the space and the trials of a sweep."""

    objective: Objective
    method: str  # the search method
    space: Mapping[str, Distribution]
    trials: Sequence[TrialResult]  # in the order of trial numbers
    entries: Sequence[RungEntry] = ()
    unit: Unit = "steps"  # of the rungs
    planned: int | None = None  # trials, started or not; None: no number ends the sweep, or it is unknown

    def reached(self, each: TrialResult) -> int | None:
        """How far a trial came, in the unit of the rungs; None if it reported nothing."""
        return None if each.last_step is None else reached(self.unit, each.last_step, each.train_s)

    def ranked(self) -> list[TrialResult]:
        """Trials with a result, the best first; ties by trial number."""
        sign = 1 if self.objective.mode == "min" else -1
        judged = [(sign * each.value, each.trial, each) for each in self.trials if each.value is not None]
        return [each for _, _, each in sorted(judged, key=lambda entry: entry[:2])]


def read_results(paths: SweepPaths, info: SweepInfo) -> SweepResults:
    """Read the results of a sweep. The space is empty if this version cannot parse the saved spec.

    Raises:
        RecordsError: The records are damaged.
    """
    spec = recorded_spec(paths, info)
    space: Mapping[str, Distribution] = {} if spec is None else spec.distributions()
    kinds = {name: each.kind for name, each in space.items()}
    whole = trials_table(paths)
    require_kinds(whole, kinds, paths.trials_table)
    wanted = [name for name in whole.schema.names if name in _COLUMNS + _LATER or name.startswith(CONFIG)]
    return SweepResults(
        objective=objective_of(info),
        method="" if spec is None else spec.search.method,
        space=space,
        trials=[_outcome(row, config_of(row, kinds, paths.trials_table)) for row in whole.select(wanted).to_pylist()],
        entries=_entries(paths),
        unit=recorded_unit(info.spec),
        planned=None if spec is None else planned_trials(spec),
    )


def recorded_spec(paths: SweepPaths, info: SweepInfo) -> Spec | None:
    """The spec that a sweep has recorded; None if this version cannot parse it."""
    with suppress(SpecError):
        return parse_spec(info.spec, base=paths.root)
    return None


def planned_trials(spec: Spec) -> int | None:
    """How many trials a sweep is to have; None if no number ends it."""
    with suppress(UserError):
        return trial_count(spec, spec.parameter_space())
    return None


def _outcome(row: Mapping[str, Any], config: Config) -> TrialResult:
    failed = row["state"] == State.FAILED
    return TrialResult(
        trial=row["trial"],
        state=State(row["state"]),
        config=config,
        value=row["objective"],
        last_step=row["last_step"],
        train_s=row["train_s"] or 0.0,
        reason=row["reason"] or "",
        error=(failed and row["error_type"]) or "",
        message=(failed and row["error_message"]) or "",
        cause=(failed and row["error_fingerprint"]) or "",
        diagnosis=row.get("diagnosis") or "",
        diagnosis_reason=row.get("diagnosis_reason") or "",
    )


def _entries(paths: SweepPaths) -> list[RungEntry]:
    table = events_table(paths, ["event", "trial", "rung", "value"])
    columns = (table[name].to_pylist() for name in ("event", "trial", "rung", "value"))
    rows = zip(*columns, strict=True)
    return [RungEntry(trial=trial, rung=rung, value=value) for event, trial, rung, value in rows if event == "rung"]
