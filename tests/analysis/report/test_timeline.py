"""Attempts laid into slots."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.report.timeline import UNKNOWN, timeline


def event(
    at: float, event: str, trial: int | None = None, attempt: int = 1, reason: str | None = None
) -> dict[str, Any]:
    return {"at": at, "event": event, "trial": trial, "attempt": attempt, "reason": reason}


BEGAN = event(0, "sweep", reason="began")


def test_a_slot_takes_trial_after_trial() -> None:
    events = [
        BEGAN,
        event(1, "running", 0),
        event(1, "running", 1),
        event(4, "completed", 0),
        event(5, "running", 2),
        event(6, "stopped", 1),
        event(9, "diverged", 2),
        event(10, "account"),
    ]
    found = timeline(events, {0: "a", 1: "a", 2: "a"}, None)
    assert found.lanes == ("a", "a")
    assert [(span.trial, span.lane, span.began, span.ended, span.outcome) for span in found.spans] == [
        (0, 0, 1, 4, "completed"),
        (1, 1, 1, 6, "stopped"),
        (2, 0, 5, 9, "diverged"),
    ]
    assert found.sessions == ((0, 9),)
    assert found.busy == {"a": (3 + 5 + 4) / 18}


def test_a_killed_session_ends_what_ran_in_it() -> None:
    events = [
        BEGAN,
        event(1, "running", 0),
        event(7, "rung", 0),
        event(100, "sweep", reason="began"),
        event(101, "running", 0, 2),
        event(104, "completed", 0, 2),
    ]
    found = timeline(events, {0: "a"}, None)
    assert found.sessions == ((0, 7), (100, 104))
    assert [(span.attempt, span.began, span.ended, span.outcome) for span in found.spans] == [
        (1, 1, 7, "retry"),
        (2, 101, 104, "completed"),
    ]


def test_what_runs_goes_on_until_now() -> None:
    found = timeline([BEGAN, event(1, "running", 0)], {0: "a"}, now=9.0)
    assert found.sessions == ((0, 9),)
    assert (found.spans[0].ended, found.spans[0].outcome) == (9, "running")


def test_earlier_attempts_on_several_nodes_are_not_guessed() -> None:
    events = [
        BEGAN,
        event(1, "running", 0),
        event(2, "retry", 0),
        event(3, "running", 0, 2),
        event(3, "running", 1),
        event(5, "completed", 0, 2),
        event(5, "completed", 1),
    ]
    found = timeline(events, {0: "a", 1: "b"}, None)
    assert found.lanes == ("a", "b", UNKNOWN)
    assert [found.lanes[span.lane] for span in sorted(found.spans, key=lambda span: (span.trial, span.attempt))] == [
        UNKNOWN,
        "a",
        "b",
    ]
    assert UNKNOWN not in found.busy


def test_looks_at_the_test_part_belong_to_no_session() -> None:
    events = [BEGAN, event(1, "running", 0), event(2, "completed", 0), event(5000, "evaluation", 0)]
    assert timeline(events, {0: "a"}, None).sessions == ((0, 2),)


def test_nothing_has_happened() -> None:
    assert timeline([], {}, None).lanes == ()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=30))
def test_no_slot_has_two_trials_at_once(times: list[tuple[float, float]]) -> None:
    events = [BEGAN]
    for trial, (began, length) in enumerate(times):
        events += [event(began, "running", trial), event(began + length, "completed", trial)]
    found = timeline(events, dict.fromkeys(range(len(times)), "a"), None)
    by_lane: dict[int, list[tuple[float, float]]] = {}
    for span in found.spans:
        by_lane.setdefault(span.lane, []).append((span.began, span.ended))
    for spans in by_lane.values():
        ordered = sorted(spans)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(ordered))
    assert len(found.spans) == len(times)
