"""A sweep at a glance: its status, its trials by state, its best value, its notes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from orchestrator.control import lease, slurm_status
from orchestrator.core.rows import NODE, PACKING, State
from orchestrator.errors import RecordsError
from orchestrator.formatting import spread_of
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.parquet_log import log_files
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.remote_record import Remote, read_remote, visible_paths

Status = Literal[
    "running", "running?", "finished", "halted", "failed", "died", "damaged", "queued", "queued?", "remote"
]
"""``halted``: ended early, by a signal or a budget. ``failed``: ended without a result. ``died``: the driver is gone
and the sweep is unfinished. ``running?``: the driver is on another machine. ``queued``: submitted to a cluster and
waiting. ``queued?``: submitted to Slurm, which cannot be asked from here. ``remote``: ended on its cluster; the records
were not fetched."""


_LASTING = (NODE, PACKING)
"""Events that also hold for later sessions."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The metric that trials of a recorded sweep are judged by."""

    metric: str
    mode: Literal["min", "max"]
    at: Literal["best", "last"]

    def best_of(self, values: list[float]) -> float | None:
        """The best of the values; None if there are none."""
        if not values:
            return None
        return min(values) if self.mode == "min" else max(values)

    def spread_of(self, values: list[float]) -> float:
        """As ``formatting.spread_of``."""
        return spread_of(values, self.mode)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One sweep as a listing shows it."""

    name: str
    status: Status
    states: dict[State, int] = field(default_factory=dict)  # trials by state, in the order of State
    best: float | None = None
    spread: float = 0.0  # how far the results of the best quarter of the trials lie apart
    objective: Objective | None = None  # None: the records are damaged
    trainable: str = ""
    created: str = ""  # ISO 8601, UTC
    parent: str = ""  # the sweep that this one derives from
    problem: str = ""  # why the records cannot be read: damaged, or on a cluster


def overview(paths: SweepPaths, remote: Remote | None = None) -> Overview:
    """Summarise one sweep. Unreadable records become a status rather than an error, so that a listing can continue.

    Args:
        paths: The sweep's directory.
        remote: The sweep's state on its cluster, if it runs on one.
    """
    if remote is not None and (seen := visible_paths(paths)) != paths:
        return replace(overview(seen), name=paths.name)
    if remote is not None and not paths.info.is_file():
        word: Status = "queued" if remote.status == "PENDING" else "remote" if remote.ended else "running"
        where = f"{remote.directory or 'nothing recorded yet'} on {remote.address}, {remote.status}"
        return Overview(name=paths.name, status=word, created=remote.submitted, problem=where)
    try:
        read_remote(paths)
        info = read_sweep_json(paths.info)
        objective = objective_of(info)
        trials = trials_table(paths, ["state", "objective"])
        counts = Counter(trials["state"].to_pylist())
        states = {state: counts[state] for state in State if counts[state]}
        results = [value for value in trials["objective"].to_pylist() if value is not None]
        best = objective.best_of(results)
        log_files(paths.metrics)
        log_files(paths.events)
    except RecordsError as error:
        return Overview(name=paths.name, status="damaged", problem=str(error))
    return Overview(
        name=paths.name,
        status=status_of(paths, states, best),
        states=states,
        best=best,
        spread=objective.spread_of(results),
        objective=objective,
        trainable=info.trainable,
        created=info.created,
        parent=info.parent or "",
    )


def objective_of(info: SweepInfo) -> Objective:
    """The objective of a recorded sweep."""
    section = info.spec["objective"]
    return Objective(metric=section["metric"], mode=section["mode"], at=section["at"])


def status_of(paths: SweepPaths, states: dict[State, int], best: float | None) -> Status:
    """Whether the sweep is running, or how it ended.

    Args:
        paths: The sweep's directory.
        states: Number of trials by state.
        best: The best value; None if no trial has a result.
    """
    held = lease.status(paths.lease)
    if (remote := read_remote(paths)) is not None and not remote.pulled_end:
        return "remote" if remote.ended else "running"
    if held in ("running", "running?"):
        return held
    if (job := slurm_status.job_status(paths)) is not None and (job.waits or not states):
        return "queued?" if job.state == slurm_status.UNKNOWN else "queued"
    if held == "dead" or State.PENDING in states or State.RUNNING in states:
        return "died"
    if State.CANCELLED in states or State.PAUSED in states or not states:
        return "halted"
    return "failed" if best is None else "finished"


def notes(paths: SweepPaths) -> list[str]:
    """Notes that the driver recorded: those that hold for the whole sweep, then those of its last session.

    The last session's include why it ended early. An uneventful sweep has none.
    """
    lasting: list[str] = []
    of_session: list[str] = []
    for row in events_table(paths, ["event", "reason"]).to_pylist():
        if (row["event"], row["reason"]) == ("sweep", "began"):
            of_session = []
        elif row["event"] in _LASTING:
            lasting.append(row["reason"])
        elif row["event"] in ("note", "sweep"):
            of_session.append(row["reason"])
    return lasting + of_session
