"""What is retried, and which failures count against a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from orchestrator.core import events
from orchestrator.core.retries import FALSE_STARTS
from orchestrator.core.rows import Failure, State
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make, states, steady


class TestRetries:
    @staticmethod
    def failing(times: int, message: str = "attempt {}") -> Callable[[events.Start], Iterator[PlayedStep]]:
        def curve(start: events.Start) -> Iterator[PlayedStep]:
            for report in steady(start):
                if report[1] == 3 and start.trial == 0 and start.attempt <= times:
                    raise ValueError(message.format(start.attempt))
                yield report

        return curve

    def test_a_failed_trial_is_tried_again_and_each_step_is_recorded_once(self) -> None:
        outcome = simulate(make(trial={"retries": 2}), self.failing(2), slots=1, saves=False)
        row = outcome.trials[0]
        assert (row.state, row.attempts, row.failures) == (State.COMPLETED, 3, 2)
        steps = [(m.step, m.attempt) for m in outcome.metrics if m.trial == 0]
        assert steps == [(1, 1), (2, 1), *((step, 3) for step in range(3, 28))]
        assert row.train_s == pytest.approx(2 + 2 + 27)

    def test_out_of_retries_it_has_failed_and_the_sweep_goes_on(self) -> None:
        outcome = simulate(make(trial={"retries": 1}), self.failing(9), slots=1)
        assert outcome.trials[0].state is State.FAILED
        assert outcome.trials[0].failures == 2
        assert states(outcome)[1:] == [State.COMPLETED] * 8

    def test_the_same_failure_twice_is_not_tried_a_third_time(self) -> None:
        outcome = simulate(make(trial={"retries": 5}), self.failing(9, "the same"), slots=1)
        assert outcome.trials[0].attempts == 2

    def test_a_worker_that_is_killed_twice_is_tried_as_often_as_allowed(self) -> None:
        sweep = make(trials=1, trial={"retries": 3})
        killed = Failure(type="WorkerDied", message="killed", fingerprint="WorkerDied")
        for attempt in range(1, 5):
            start = sweep.ask(100.0 * attempt)
            assert start is not None
            assert start.attempt == attempt
            sweep.on(events.Started(trial=0, at=100.0 * attempt))
            sweep.on(events.Failed(trial=0, at=100.0 * attempt, failure=killed))
        assert sweep.trials[0].state is State.FAILED

    def test_a_preemption_uses_up_no_retry(self) -> None:
        sweep = make(trials=1)
        start = sweep.ask(0.0)
        assert start is not None
        for at in range(5):
            sweep.on(events.Started(trial=0, at=at))
            gone = Failure(type="WorkerDied", message="its node has died")
            assert not sweep.on(events.Failed(trial=0, at=at, failure=gone, preempted=True))
            again = sweep.ask(at)
            assert again is not None
            assert again.attempt == at + 2
        assert sweep.trials[0].preemptions == 5
        assert sweep.trials[0].failures == 0

    def test_a_worker_that_dies_before_the_trial_begins_is_not_held_against_it(self) -> None:
        sweep = make(trials=1)
        lost = Failure(type="WorkerDied", message="died")
        for _ in range(FALSE_STARTS):
            assert sweep.ask(0.0) is not None
            sweep.on(events.NotStarted(trial=0, at=0.0, failure=lost))
            assert sweep.trials[0].attempts == 0
        assert sweep.ask(0.0) is not None
        sweep.on(events.NotStarted(trial=0, at=0.0, failure=lost))
        assert sweep.trials[0].state is State.FAILED
