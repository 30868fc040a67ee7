"""Follows the records of a sweep, reading only what changed since the last look."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from orchestrator.analysis.outlook.recorded import outlook_of
from orchestrator.analysis.summary.overview import objective_of, status_of
from orchestrator.analysis.summary.results import planned_trials, recorded_spec
from orchestrator.analysis.summary.rungs import COUNTED, RungTally
from orchestrator.analysis.watch.listing import COLUMNS, Listing
from orchestrator.analysis.watch.scene import Scene, Session
from orchestrator.core.rows import ENDS, EVALUATION, PROMOTED, EventRow, State
from orchestrator.core.rung_unit import recorded_unit
from orchestrator.core.schedulers import RungSummary
from orchestrator.errors import RecordsError
from orchestrator.records.incremental_table import IncrementalTable
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import CONFIG
from orchestrator.records.table_rules import EVENTS_RULES, METRICS, TRIALS
from orchestrator.spec.sections import Unit

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestrator.records.paths import SweepPaths

NEWS = 100
"""The number of newest events kept."""

EVENTS = ["at", "event", "trial", "attempt", "step", "rung", "value", "cutoff", "decision", "reason"]


class _Limits(TypedDict):
    total: int | None
    limit_s: float | None
    rung_unit: Unit


class Follower:
    """Reads one sweep repeatedly."""

    def __init__(self, paths: SweepPaths) -> None:
        """Prepare to follow a sweep; nothing but sweep.json is read until :meth:`look`.

        Raises:
            RecordsError: sweep.json is damaged.
        """
        self._paths = paths
        self._info_at = paths.info.stat().st_mtime_ns
        info = read_sweep_json(paths.info)
        metric = objective_of(info).metric
        self._method: str = info.spec["search"]["method"]
        self._trials = IncrementalTable.file(
            paths.trials_table, lambda name: name in COLUMNS or name.startswith(CONFIG), TRIALS
        )
        self._metrics = IncrementalTable.log(paths.metrics, {"trial", "step", metric}.__contains__, METRICS)
        self._events = IncrementalTable.log(paths.events, EVENTS.__contains__, EVENTS_RULES)
        self._story = Story()
        self._scene = _empty(info, paths)

    def look(self, now: float) -> Scene:
        """The current state of the sweep. If records cannot be read, the previous state with the error.

        Args:
            now: Seconds since the epoch.
        """
        try:
            self._read()
            best = self._scene.best
            status = status_of(self._paths, self._scene.states, None if best is None else best.value)
        except (RecordsError, OSError) as error:
            return replace(self._scene, now=now, trouble=str(error))
        self._scene = replace(self._scene, status=status, now=now)
        return replace(self._scene, session=self._story.session(going_on=self._scene.running))

    def _read(self) -> None:
        if (at := self._paths.info.stat().st_mtime_ns) != self._info_at:  # as after a resume
            self._scene = replace(self._scene, **_limits(self._paths, read_sweep_json(self._paths.info)))
            self._info_at = at
        for table in (self._trials, self._metrics, self._events):
            table.look()
        listing, outlook = self._scene.listing, self._scene.outlook
        if (trials := self._trials.table) is not None and (listing is None or listing.table is not trials):
            objective = self._scene.objective
            listing = Listing(table=trials, mode=objective.mode, metric=objective.metric)
            outlook = tuple(outlook_of(trials, objective.mode, self._method))
        if self._events.table is not None:
            self._story.go_on(self._events.table)
        self._scene = replace(
            self._scene,
            listing=listing,
            outlook=outlook,
            metrics=self._metrics.table,
            rungs=tuple(self._story.rungs(listing)),
            news=tuple(self._story.news),
        )


class Story:
    """Summarises the events so far; each event is processed once.

    Attributes:
        news: The newest events in chronological order.
    """

    def __init__(self) -> None:
        self.news: deque[EventRow] = deque(maxlen=NEWS)
        self._tally = RungTally()
        self._decisions: list[Mapping[str, Any]] = []  # not counted yet
        self._taken = 0
        self._began: float | None = None
        self._before_s = 0.0  # for which earlier sessions ran
        self._ended_at = 0.0
        self._paused: set[int] = set()
        self._done = 0  # trials that ended or paused, in the session

    def go_on(self, events: pa.Table) -> None:
        """Process new events of the log; ``events`` starts at the beginning of the log."""
        if events.num_rows <= self._taken:
            return
        import pyarrow as pa

        new = events.slice(self._taken).select(EVENTS)
        self._taken = events.num_rows
        at = new["at"].cast(pa.int64()).to_pylist()
        rows = [
            row | {"at": microseconds / 1_000_000}
            for microseconds, row in zip(at, new.drop_columns("at").to_pylist(), strict=True)
        ]
        for row in rows:
            self._take(row)
        newest = sorted(rows[-NEWS:], key=lambda row: row["at"])  # within one write, starts come before ends
        self.news.extend(EventRow(**row) for row in newest)

    def rungs(self, listing: Listing | None) -> list[RungSummary]:
        """The rung table. Decisions about trials that are not in the listing yet are counted later."""
        brackets = listing.column("bracket") if listing is not None and self._decisions else {}
        for row in self._decisions:
            if row["trial"] in brackets:
                self._tally.add(brackets[row["trial"]], row)
        self._decisions = [row for row in self._decisions if row["trial"] not in brackets]
        return self._tally.table()

    def session(self, *, going_on: bool) -> Session | None:
        """The latest session; None if none has started."""
        if self._began is None:
            return None
        ended = None if going_on else self._ended_at
        return Session(began=self._began, ended=ended, trials=self._done, before_s=self._before_s)

    def _take(self, row: Mapping[str, Any]) -> None:
        if row["event"] in COUNTED:
            self._decisions.append(row)
        match row["event"]:
            case "sweep" if row["reason"] == "began":
                self._before_s += 0.0 if self._began is None else max(0.0, self._ended_at - self._began)
                self._began, self._done = row["at"], 0
            case event if event == PROMOTED:
                self._paused.discard(row["trial"])
                self._done -= 1
            case State.PAUSED:
                self._paused.add(row["trial"])
                self._done += 1
            case event if event in ENDS:
                self._done += row["trial"] not in self._paused
                self._paused.discard(row["trial"])
        if row["event"] != EVALUATION:  # an evaluation may come days later
            self._ended_at = max(self._ended_at, row["at"])


def _empty(info: SweepInfo, paths: SweepPaths) -> Scene:
    objective, limits = objective_of(info), _limits(paths, info)
    return Scene(name=paths.name, status="halted", trainable=info.trainable, objective=objective, **limits)


def _limits(paths: SweepPaths, info: SweepInfo) -> _Limits:
    spec = recorded_spec(paths, info)
    hours = info.spec["budget"].get("hours")
    return {
        "total": None if spec is None else planned_trials(spec),
        "limit_s": None if hours is None else hours * 3600,
        "rung_unit": recorded_unit(info.spec),
    }
