"""What a resume does once is done once, wherever resumes are killed; without Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.extend import Extension
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EventRow, MetricRow, State
from orchestrator.core.sweep import Sweep
from orchestrator.driver.resume_tasks import ResumeTasks, left_undone
from orchestrator.errors import DamagedError
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.max_step import max_seconds

FAILING = (2, 4)
"""The trial that fails, and its retry."""


class Played:
    """A sweep on the virtual clock, with what its directory would hold."""

    def __init__(self, **sections: Any) -> None:
        spec = {
            "trainable": "mine:train",
            "fixed": {"epochs": 3},
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "scheduler": {"method": "none"},
            "budget": {"trials": 4},
        } | sections
        self.spec: Spec = parse_spec(spec, base=Path())
        self.resumed: list[dict[str, Any]] = []
        self.events: list[EventRow] = []
        self.metrics: list[MetricRow] = []
        self._train(build_sweep(self.spec, None))

    def resume(
        self,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        again: State | None = None,
        killed: bool = False,
    ) -> Sweep:
        """Resume the sweep; ``killed``: by a driver that dies once sweep.json is written."""
        old, old_s = self.spec.fixed["epochs"], max_seconds(self.spec)
        overrides = Extension(max_steps=steps, max_time=seconds).overrides(self.spec, None)
        self.spec = parse_spec(self.spec.to_plain(), base=Path(), overrides=overrides)
        sweep = build_sweep(self.spec, None)
        replay(sweep, Recorded(events=self.events, metrics=self.metrics), at=1e6)
        tasks = ResumeTasks(
            old_end=old if self.spec.fixed["epochs"] != old else None,
            old_s=old_s if max_seconds(self.spec) != old_s else None,
            retried=frozenset() if again is None else frozenset([again]),
        )
        tasks.and_earlier(left_undone(self.resumed, self.events)).carry_out(sweep, len(self.resumed), at=1e6)
        self.resumed.append(tasks.to_plain())
        if not killed:
            self._train(sweep)
        return sweep

    def _train(self, sweep: Sweep) -> None:
        last = int(self.spec.fixed["epochs"])

        def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
            if start.trial in FAILING:
                raise ValueError("out of luck")
            for step in range((start.recorded or 0) + 1, last + 1):
                yield 1.0, step, {"loss": start.config["x"]}

        outcome = simulate(sweep, curve, slots=1, began=1e6)
        self.events += outcome.events
        self.metrics += outcome.metrics


@pytest.fixture
def played() -> Played:
    return Played()


def lengths(sweep: Sweep) -> list[int | None]:
    return [trial.last_step for trial in sweep.trials]


def test_the_same_total_again_changes_nothing(played: Played) -> None:
    assert lengths(played.resume(steps=6)) == [6, 6, None, 6]
    before = list(played.metrics)
    assert lengths(played.resume(steps=6)) == [6, 6, None, 6]
    assert played.metrics == before


@pytest.mark.parametrize("then", [None, 6, 9])
def test_what_a_killed_resume_was_told_is_done_by_the_next(played: Played, then: int | None) -> None:
    played.resume(steps=6, again=State.FAILED, killed=True)
    played.resume(killed=True)
    end = then or 6
    assert lengths(played.resume(steps=then)) == [end, end, None, end, None]
    assert len(played.metrics) == len({(row.trial, row.step) for row in played.metrics}) == 3 * end


@pytest.mark.parametrize("then", [None, 4, 6])
def test_more_time_is_given_once_too(then: float | None) -> None:
    """Steps take a second; 2 s complete a trial of 9 steps, and then more."""
    played = Played(trial={"max_time": 2}, fixed={"epochs": 9})
    assert lengths(played.resume()) == [2, 2, None, 2]
    played.resume(seconds=4, killed=True)
    played.resume(killed=True)
    end = int(then or 4)
    assert lengths(played.resume(seconds=then)) == [end, end, None, end]
    assert len(played.metrics) == len({(row.trial, row.step) for row in played.metrics}) == 3 * end
    assert lengths(played.resume(seconds=end)) == [end, end, None, end]
    assert lengths(played.resume(seconds=100)) == [9, 9, None, 9], "then their steps end them"
    assert lengths(played.resume(seconds=200, steps=12)) == [12, 12, None, 12]


def test_what_was_done_is_not_done_again(played: Played) -> None:
    played.resume(steps=6, again=State.FAILED, killed=True)
    played.resume()
    recorded = len(played.events)
    sweep = played.resume()
    assert len(sweep.trials) == 5
    assert all(event.trial is None for event in played.events[recorded:])


@pytest.mark.parametrize(
    "entry",
    [
        {"full_length_before": "many", "retried": []},
        {"full_length_before": None, "retried": ["eaten"]},
        {"full_length_before": None, "retried": None},
        {"full_length_before": None},
        {"full_length_before": None, "max_time_before": "long", "retried": []},
    ],
)
def test_damaged_entries_are_named(entry: dict[str, Any]) -> None:
    with pytest.raises(DamagedError, match=r"sweep\.json is damaged"):
        left_undone([entry], [])


def test_entries_of_earlier_versions_ask_for_nothing() -> None:
    assert left_undone([{"full_length_before": 9, "retried": []}], []) == ResumeTasks(old_end=9)
    assert left_undone([{"at": "2026-01-01", "grown": [], "retried": ["failed"]}], []) == ResumeTasks()
