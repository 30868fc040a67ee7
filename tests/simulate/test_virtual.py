"""What the virtual clock charges beside training: the driver is a queue, and processes take a while to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State
from orchestrator.simulate.costs import Costs
from orchestrator.simulate.virtual_clock import Outcome, simulate
from orchestrator.spec import parse_spec


def play(trials: int, slots: int, costs: Costs, *, step_s: float = 10.0, steps: int = 1, **options: Any) -> Outcome:
    """Trials of so many steps, each of which is reported."""
    budget = {"trials": trials, **options.pop("budget", {})}
    spec = parse_spec(
        {
            "trainable": "m:t",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": budget,
        },
        base=Path(),
    )

    def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
        for step in range(1, steps + 1):
            yield step_s, step, {"loss": start.config["x"]}

    return simulate(build_sweep(spec, None), curve, slots=slots, costs=costs, **options)


def test_by_default_only_training_takes_time() -> None:
    outcome = play(6, 2, Costs())
    assert (outcome.seconds, outcome.busy_s, outcome.driver_s) == (30.0, 60.0, 0.0)


def test_a_slot_waits_for_what_is_its_own() -> None:
    """Two slots and three trials each: one start of a process, and a turn before each of the others."""
    outcome = play(6, 2, Costs(launch_s=100, worker_s=5, turn_s=1))
    assert outcome.seconds == 100 + 5 + 10 + 1 + 10 + 1 + 10
    assert outcome.busy_s == 60


def test_processes_that_start_at_once_share_the_cores() -> None:
    assert play(4, 4, Costs(worker_s=5)).seconds == 15
    assert play(4, 4, Costs(worker_s=5), starts_at_once=4).seconds == 15
    crowded = play(8, 4, Costs(worker_s=5), starts_at_once=1)
    assert sorted(row.reported_at for row in crowded.metrics) == [30.0] * 4 + [40.0] * 4
    assert play(2, 4, Costs(worker_s=5), starts_at_once=1).seconds == 10 + 10, "no more than there are trials"


def test_the_driver_does_one_thing_after_the_other() -> None:
    """Four trials end at the same moment; the last is heard after three others."""
    together = play(4, 4, Costs(message_s=1))
    assert together.seconds == 10 + 4
    assert together.driver_s == 4
    assert play(1, 1, Costs(message_s=1)).seconds == 10 + 1


def test_trials_shorter_than_the_driver_needs_for_one_wait_for_it() -> None:
    """However many slots there are, no more trials come through than the driver can start and hear of."""
    outcome = play(1000, 100, Costs(start_s=0.1, message_s=0.1), step_s=1.0)
    assert outcome.seconds == pytest.approx(1000 * 0.2, rel=0.02)
    assert outcome.driver_s == pytest.approx(outcome.seconds, rel=0.02)


def test_each_known_trial_makes_the_next_proposal_dearer() -> None:
    assert play(4, 1, Costs(ask_s=1, ask_each_s=1)).seconds == 40 + 4 * 1 + (1 + 2 + 3 + 4)


def test_proposals_are_computed_beside_the_driver_while_trials_run() -> None:
    """The first four are proposed one after the other, 1 s each; the next four while these run."""
    outcome = play(8, 4, Costs(ask_s=1))
    assert outcome.seconds == 10 + 4 + 10
    assert (outcome.driver_s, outcome.search_s) == (0, 8)
    slow = play(100, 4, Costs(ask_s=5))
    assert slow.seconds == 100 * 5 + 10, "four slots would need a proposal every 2.5 s"


def test_reports_between_two_messages_are_charged_with_the_second() -> None:
    assert play(1, 1, Costs(report_s=1), steps=3).seconds == 30 + 3


def test_heartbeats_slow_down_what_is_waited_for() -> None:
    """100 trials that send one a second of 5 ms take half of the driver; so the other half takes twice as long."""
    quiet = play(100, 100, Costs(message_s=0.005), step_s=100.0)
    beating = play(100, 100, Costs(message_s=0.005, heartbeat_s=1.0), step_s=100.0)
    assert beating.driver_s == pytest.approx(quiet.driver_s + 100 * 100 * 0.005)
    assert quiet.seconds < beating.seconds <= 100 + 2 * (quiet.seconds - 100)


def test_a_driver_swamped_by_heartbeats_still_hears_each_trial_in_turn() -> None:
    outcome = play(100, 100, Costs(message_s=0.1, heartbeat_s=1.0), step_s=100.0)
    assert outcome.seconds < 100 + 100 * 101 * 0.1


def test_a_budget_of_time_ends_it_to_the_second() -> None:
    """Two trials run at that moment; what they have trained until then counts, and what they would have does not."""
    outcome = play(100, 2, Costs(), step_s=1000.0, budget={"hours": 0.5})
    assert (outcome.seconds, outcome.busy_s) == (1800, 3600)
    assert [row.state for row in outcome.trials.values()].count(State.CANCELLED) == 2


def test_what_was_reported_before_the_time_ran_out_counts() -> None:
    """Reports wait for a decision; the end of the budget fetches them, and no later ones."""
    outcome = play(1, 1, Costs(), step_s=100.0, steps=100, budget={"hours": 0.5})
    assert [(row.step, row.reported_at) for row in outcome.metrics] == [(n, 100.0 * n) for n in range(1, 19)]
    assert outcome.trials[0].state == State.CANCELLED
    assert outcome.trials[0].train_s == 1800
