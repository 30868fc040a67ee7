"""The ledger of a sweep: what became of the time of its slots, and what the scheduler saved.

Training is told by the trials' own rows, so that it can be said what it led to; all else by the accounts that sessions
leave at their end. With GPUs, time is counted in GPU-seconds: a trial's by its own share, a slot's by the mean of the
trials'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.core.rows import ACCOUNT, State
from orchestrator.core.time_account import TimeAccount, total
from orchestrator.errors import SpecError
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import CONFIG
from orchestrator.spec import max_step, parse_spec
from orchestrator.spec.max_step import UNDECLARED_LENGTH

Part = Literal["useful", "stopped", "diverged", "failed", "cancelled", "unfinished", "waiting", "start-up", "idle"]
"""``useful``: trainings that came to their end. ``unfinished``: those that still run. ``waiting``: in a slot without
training, as a trial begins, waits for a decision, ends."""

_OUTCOMES: Mapping[State, Part] = {
    State.COMPLETED: "useful",
    State.STOPPED: "stopped",
    State.DIVERGED: "diverged",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.RUNNING: "unfinished",
    State.PENDING: "unfinished",
}


TRAINING = tuple(dict.fromkeys(_OUTCOMES.values()))
"""The parts in which something was trained."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialTime:
    """What a trial took."""

    state: State
    train_s: float  # over all attempts
    waiting_s: float = 0.0
    startup_s: float = 0.0
    gpus: float = 0.0
    steps: int | None = None  # that it came to
    length: float | None = None  # of its full training, if that is searched


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Seconds of slots, or of GPUs."""

    unit: Literal["slot", "gpu"]
    seconds: Mapping[Part, float]
    trials: Mapping[Part, int]
    sessions: int  # that began
    accounts: int  # that left an account; without it, idle time is not known, nor all of the rest but training
    saved: float | None  # by early stopping; None if nothing was stopped, or nobody knows how long a training is

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.seconds.values())

    @property
    def in_full(self) -> float | None:
        """What the trials would have trained for if none had been stopped."""
        return None if self.saved is None else self.saved + sum(self.seconds[part] for part in TRAINING)


def accounts(paths: SweepPaths) -> list[TimeAccount]:
    """The time account of each session that ended, in order. A session that was killed left none."""
    rows = events_table(paths, ["event", "detail"]).to_pylist()
    return [TimeAccount(**json.loads(row["detail"])) for row in rows if row["event"] == ACCOUNT]


def ledger_in(paths: SweepPaths, info: SweepInfo) -> Ledger:
    """The ledger of a sweep by its records.

    Raises:
        RecordsError: The records are damaged.
    """
    spent = [_spent(row) for row in trials_table(paths).to_pylist()]
    rows = events_table(paths, ["event", "reason"]).to_pylist()
    sessions = sum((row["event"], row["reason"]) == ("sweep", "began") for row in rows)
    return ledger_of(spent, accounts(paths), sessions=sessions, length=_length(paths, info, spent))


def ledger_of(
    spent: Sequence[TrialTime], closed: Sequence[TimeAccount], *, sessions: int, length: float | None = None
) -> Ledger:
    """Put it together.

    Args:
        spent: What each trial took.
        closed: The accounts of sessions.
        sessions: How many began.
        length: Steps of a full training, if that is known.
    """
    on_gpus = any(each.gpus for each in spent)
    gpus_of_a_slot = _mean_gpus(spent) if on_gpus else 1.0

    def weighed(seconds: Iterable[tuple[TrialTime, float]]) -> float:
        return sum(value * (each.gpus if on_gpus else 1.0) for each, value in seconds)

    def of_slots(seconds: float, of_trials: Iterable[tuple[TrialTime, float]]) -> float:
        there = seconds * gpus_of_a_slot
        return there if len(closed) >= sessions else max(there, weighed(of_trials))

    by_part: dict[Part, list[TrialTime]] = {part: [] for part in TRAINING}
    for each in spent:
        by_part[_OUTCOMES[each.state]].append(each)
    seconds: dict[Part, float] = {
        part: weighed((each, each.train_s) for each in there) for part, there in by_part.items()
    }
    recorded = total(closed)
    waiting, start_up, idle = (
        (recorded.scheduling_s, recorded.start_up_s, recorded.idle_s) if recorded is not None else (0.0, 0.0, 0.0)
    )
    seconds["waiting"] = of_slots(waiting, ((each, each.waiting_s) for each in spent))
    seconds["start-up"] = of_slots(start_up, ((each, each.startup_s) for each in spent))
    seconds["idle"] = idle * gpus_of_a_slot
    stopped = by_part["stopped"]
    return Ledger(
        unit="gpu" if on_gpus else "slot",
        seconds=seconds,
        trials={part: len(there) for part, there in by_part.items()},
        sessions=sessions,
        accounts=len(closed),
        saved=weighed((each, _left_s(each, length)) for each in stopped) if stopped and length else None,
    )


def _left_s(each: TrialTime, length: float) -> float:
    """How long it would have gone on, at its own mean time a step."""
    if not each.steps:
        return 0.0
    return max(0.0, min(length, each.length or length) - each.steps) * each.train_s / each.steps


def _mean_gpus(spent: Sequence[TrialTime]) -> float:
    """Of a slot, by how long trials were in one."""
    in_slot = [(each.gpus, each.train_s + each.waiting_s + each.startup_s) for each in spent]
    whole = sum(seconds for _, seconds in in_slot)
    return sum(gpus * seconds for gpus, seconds in in_slot) / whole if whole else 1.0


def _spent(row: Mapping[str, Any]) -> TrialTime:
    return TrialTime(
        state=State(row["state"]),
        train_s=row["train_s"] or 0.0,
        waiting_s=row["overhead_s"] or 0.0,
        startup_s=row.get("startup_s") or 0.0,
        gpus=row.get("gpus") or 0.0,
        steps=row["last_step"],
        length=row.get(CONFIG + UNDECLARED_LENGTH),
    )


def _length(paths: SweepPaths, info: SweepInfo, spent: Iterable[TrialTime]) -> float | None:
    """As far as a trial came that completed; if none did, what the spec says."""
    furthest = max((each.steps or 0 for each in spent if each.state is State.COMPLETED), default=0)
    if furthest:
        return furthest
    try:
        return max_step(parse_spec(info.spec, base=paths.root), None)
    except SpecError:
        return None
