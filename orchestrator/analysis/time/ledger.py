"""The ledger of a sweep: how the time of its slots was spent, and how much early stopping saved.

Training time comes from the trials' rows, which also say how each trial ended; all other time comes from the account
that each session records when it ends. On GPUs, time is counted in GPU-seconds: a trial's by its own share of a GPU, a
slot's by the mean share of the trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.core.rows import ACCOUNT, State
from orchestrator.core.time_account import TimeAccount, total
from orchestrator.errors import SpecError
from orchestrator.records.details import account_of
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import CONFIG
from orchestrator.spec import max_step, parse_spec
from orchestrator.spec.max_step import UNDECLARED_LENGTH, max_seconds

Part = Literal["useful", "stopped", "diverged", "failed", "cancelled", "unfinished", "waiting", "start-up", "idle"]
"""``useful``: training of completed trials. ``unfinished``: of trials that have not ended. ``waiting``: a trial holds a
slot without training: it is starting, waiting for a decision, or ending."""

_OUTCOMES: Mapping[State, Part] = {
    State.COMPLETED: "useful",
    State.STOPPED: "stopped",
    State.DIVERGED: "diverged",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.RUNNING: "unfinished",
    State.PAUSED: "unfinished",
    State.PENDING: "unfinished",
}


TRAINING = tuple(dict.fromkeys(_OUTCOMES.values()))
"""The parts that are training time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialTime:
    """The time one trial took."""

    state: State
    train_s: float  # over all attempts
    waiting_s: float = 0.0
    startup_s: float = 0.0
    gpus: float = 0.0
    steps: int | None = None  # the last step reached
    length: float | None = None  # steps of a full training, if the length is searched


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Slot-seconds or GPU-seconds by part."""

    unit: Literal["slot", "gpu"]
    seconds: Mapping[Part, float]
    trials: Mapping[Part, int]
    sessions: int  # sessions started
    accounts: int  # sessions that recorded a time account; without one, only training time is complete
    saved: float | None  # by early stopping; None if no trial was stopped, or the length of a training is unknown

    @property
    def total(self) -> float:
        """The sum over all parts."""
        return sum(self.seconds.values())

    @property
    def in_full(self) -> float | None:
        """Training time if no trial had been stopped early; None if ``saved`` is."""
        return None if self.saved is None else self.saved + sum(self.seconds[part] for part in TRAINING)


def accounts(paths: SweepPaths) -> list[TimeAccount]:
    """The time account of each session that ended, in order. A session that was killed left none."""
    rows = events_table(paths, ["event", "detail"]).to_pylist()
    return [account_of(row["detail"], paths.events) for row in rows if row["event"] == ACCOUNT]


def ledger_in(paths: SweepPaths, info: SweepInfo) -> Ledger:
    """Read the ledger of a sweep from its records.

    Raises:
        RecordsError: The records are damaged.
    """
    spent = [_spent(row) for row in trials_table(paths).to_pylist()]
    rows = events_table(paths, ["event", "reason"]).to_pylist()
    sessions = sum((row["event"], row["reason"]) == ("sweep", "began") for row in rows)
    length, most_s = _full_training(paths, info, spent)
    return ledger_of(spent, accounts(paths), sessions=sessions, length=length, most_s=most_s)


def ledger_of(
    spent: Sequence[TrialTime],
    closed: Sequence[TimeAccount],
    *,
    sessions: int,
    length: float | None = None,
    most_s: float | None = None,
) -> Ledger:
    """Compute the ledger.

    Args:
        spent: The time each trial took.
        closed: The recorded time accounts of sessions.
        sessions: Number of sessions started.
        length: Steps of a full training, if known.
        most_s: Seconds of training after which every trial is completed, if time completes any.
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
        saved=weighed((each, _left_s(each, length, most_s)) for each in stopped)
        if stopped and (length or most_s)
        else None,
    )


def _left_s(each: TrialTime, length: float | None, most_s: float | None) -> float:
    """Seconds of training left when the trial was stopped, at its own mean time per step."""
    if not each.steps:
        return 0.0
    left_s = math.inf if most_s is None else most_s - each.train_s
    if length:
        left_s = min(left_s, (min(length, each.length or length) - each.steps) * each.train_s / each.steps)
    return max(0.0, left_s)


def _mean_gpus(spent: Sequence[TrialTime]) -> float:
    """Mean GPUs per slot, weighted by the time trials held a slot."""
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


def _full_training(paths: SweepPaths, info: SweepInfo, spent: Iterable[TrialTime]) -> tuple[float | None, float | None]:
    """What a full training is. None: unknown.

    Returns:
        Its steps: the most that a completed trial reached, else what the spec says; and the seconds after which a trial
        is completed.
    """
    furthest = max((each.steps or 0 for each in spent if each.state is State.COMPLETED), default=0)
    try:
        spec = parse_spec(info.spec, base=paths.root)
    except SpecError:
        return furthest or None, None
    return furthest or max_step(spec, None), max_seconds(spec)
