"""What a resume does once, besides continuing the sweep: it continues completed trials, and retries ended ones.

It is written into sweep.json before the sweep goes on, and into the first record of the session with what came of it.
So the next resume finds what a kill in between has left undone, whatever its own command line says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.extend import extend, retry
from orchestrator.core.rows import EventRow, State
from orchestrator.core.sweep import Sweep
from orchestrator.errors import DamagedError

_NUMBER = "resume"
_OLD_END = "full_length_before"
_OLD_TIME = "max_time_before"
_RETRIED = "retried"


@dataclass(frozen=True, kw_only=True)
class ResumeTasks:
    """What is to be done once."""

    old_end: int | None = None  # the last step of a full training before it was made longer; None: it was not
    old_s: float | None = None  # the seconds that completed a trial before they were made more; None: they were not
    retried: frozenset[State] = frozenset()  # trials that ended in these states are tried again

    def to_plain(self) -> dict[str, Any]:
        """The tasks as a part of a resume's entry in sweep.json."""
        return {_OLD_END: self.old_end, _OLD_TIME: self.old_s, _RETRIED: sorted(self.retried)}

    def and_earlier(self, earlier: ResumeTasks) -> ResumeTasks:
        """These tasks and those that earlier resumes have left undone."""
        ends = [end for end in (self.old_end, earlier.old_end) if end is not None]
        times = [seconds for seconds in (self.old_s, earlier.old_s) if seconds is not None]
        return ResumeTasks(
            old_end=min(ends, default=None), old_s=min(times, default=None), retried=self.retried | earlier.retried
        )

    def carry_out(self, sweep: Sweep, number: int, at: float) -> int:
        """Do them, as the first that happens in a session; returns how many trials are retried.

        Args:
            sweep: The sweep, rebuilt from its records.
            number: The number of this resume, from 0.
            at: The time, in seconds since the epoch.
        """
        if self == ResumeTasks():
            return 0
        sweep.begin(at, {_NUMBER: number})
        if self.old_end is not None or self.old_s is not None:
            extend(sweep, self.old_end, at, old_s=self.old_s)
        return retry(sweep, self.retried, at) if self.retried else 0


def left_undone(resumed: Sequence[Mapping[str, Any]], events: Iterable[EventRow]) -> ResumeTasks:
    """What a kill has kept earlier resumes from.

    Args:
        resumed: Their entries in sweep.json.
        events: The recorded events. A session that carries out tasks carries out all that were left.

    Raises:
        DamagedError: An entry is not one that a resume writes.
    """
    try:
        return _left_undone(resumed, events)
    except (TypeError, ValueError, KeyError) as error:
        raise DamagedError(f"sweep.json is damaged: an entry of `resumed`: {error}") from error


def _left_undone(resumed: Sequence[Mapping[str, Any]], events: Iterable[EventRow]) -> ResumeTasks:
    began = (event.detail or {} for event in events if (event.event, event.reason) == ("sweep", "began"))
    last = max((detail[_NUMBER] for detail in began if _NUMBER in detail), default=-1)
    left = [entry for entry in resumed[last + 1 :] if _OLD_END in entry]
    ends = [entry[_OLD_END] for entry in left if entry[_OLD_END] is not None]
    times = [entry[_OLD_TIME] for entry in left if entry.get(_OLD_TIME) is not None]  # earlier versions have none
    states = frozenset(State(state) for entry in left for state in entry[_RETRIED])
    return ResumeTasks(
        old_end=min(map(int, ends), default=None), old_s=min(map(float, times), default=None), retried=states
    )
