"""Proposals computed beside the driver: the same as without, never twice, and never waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Config, Origin, State
from orchestrator.core.search import Accept, NotReadyError, Observation, Outcome
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.sweep import Sweep
from orchestrator.driver.proposals import ProposalsAhead
from orchestrator.spec import parse_spec
from trainables.report import Report

SPEC: dict[str, Any] = {
    "trainable": "mine:train",
    "space": {"x": {"int": [0, 9]}, "y": {"int": [0, 9]}},
    "objective": {"metric": "loss"},
    "search": {"method": "tpe", "seed": 1},
    "scheduler": {"method": "none"},
}
SPACE = parse_spec(SPEC, base=Path()).parameter_space()


class Slow(RandomSearch):
    """Thinks for a while about each proposal, and keeps the calls."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(SPACE, 0)
        self.seconds = seconds
        self.calls: list[tuple[str, int]] = []
        self.threads: set[int] = set()

    def ask(self, number: int, accept: Accept) -> Config | None:
        self._called("ask", number)
        time.sleep(self.seconds)
        return super().ask(number, accept)

    def resume(self, number: int, config: Config) -> None:
        self._called("resume", number)

    def tell(self, observation: Observation) -> None:
        self._called(observation.outcome, observation.number)

    def forget(self, number: int) -> None:
        self._called("forget", number)

    def _called(self, name: str, number: int) -> None:
        self.calls.append((name, number))
        self.threads.add(threading.get_ident())


@pytest.fixture
def opened() -> Iterator[list[ProposalsAhead]]:
    searches: list[ProposalsAhead] = []
    yield searches
    for search in searches:
        search.close()


def anything(config: Config, times: int = 1) -> bool:
    return True


def asked(search: ProposalsAhead, number: int, accept: Accept = anything) -> Config | None:
    """Ask until there is an answer."""
    for _ in range(1000):
        try:
            return search.ask(number, accept)
        except NotReadyError:
            time.sleep(0.002)
    raise AssertionError("no proposal")


def ended(number: int, outcome: Outcome = Outcome.COMPLETED) -> Observation:
    return Observation(number=number, config={}, outcome=outcome, value=1.0, step=1)


def ahead(
    opened: list[ProposalsAhead], method: Any, trials: int = 100, live: Callable[[], int] | None = None
) -> ProposalsAhead:
    """A method in a thread; every trial that has not ended occupies a slot, unless ``live`` says otherwise."""
    opened.append(search := ProposalsAhead(method, trials=trials, live=live or (lambda: len(search._running))))
    return search


def eventually(holds: Any) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_the_driver_is_never_held_up(opened: list[ProposalsAhead]) -> None:
    search = ahead(opened, Slow(0.2))
    asked(search, 0)
    longest = 0.0
    for number in range(1, 4):
        while True:
            began = time.thread_time()
            waited = time.monotonic()
            try:
                search.ask(number, anything)
                break
            except NotReadyError:
                longest = max(longest, time.monotonic() - waited)
                assert time.thread_time() - began < 0.01
    assert longest < 0.15  # much less than a proposal takes


def test_it_proposes_what_the_method_proposes_in_one_other_thread(opened: list[ProposalsAhead]) -> None:
    method = Slow()
    search = ahead(opened, method)
    method.threads.clear()
    assert [asked(search, number) for number in range(20)] == [
        RandomSearch(SPACE, 0).ask(number, anything) for number in range(20)
    ]
    assert len(method.threads) == 1
    assert threading.get_ident() not in method.threads


def test_alone_a_trial_is_proposed_with_all_results(opened: list[ProposalsAhead]) -> None:
    method = Slow()
    search = ahead(opened, method)
    for number in range(5):
        asked(search, number)
        search.tell(ended(number, Outcome.RUNG))
        search.tell(ended(number))
    asked(search, 5)
    assert method.calls == [
        call for number in range(5) for call in [("ask", number), ("rung", number), ("completed", number)]
    ] + [("ask", 5)]


def test_beside_running_trials_the_next_is_computed_before_it_is_asked_for(opened: list[ProposalsAhead]) -> None:
    method = Slow()
    search = ahead(opened, method, trials=4)
    for number in range(3):
        asked(search, number)
    eventually(lambda: ("ask", 3) in method.calls)
    search.tell(ended(0))
    assert search.ask(3, anything) is not None  # at once, without a wait
    eventually(lambda: method.calls[-1] == ("completed", 0))
    assert ("ask", 4) not in method.calls  # beyond the last trial


def test_paused_trials_do_not_count_as_running(opened: list[ProposalsAhead]) -> None:
    method = Slow()
    search = ahead(opened, method, live=lambda: 0)
    for number in range(5):
        asked(search, number)
        search.tell(ended(number, Outcome.RUNG))  # and there it is paused
    asked(search, 5)
    assert [call for call in method.calls if call[0] == "ask"] == [("ask", number) for number in range(6)]
    assert method.calls.index(("ask", 5)) > method.calls.index(("rung", 4))


def test_no_configuration_is_proposed_twice_and_then_none(opened: list[ProposalsAhead]) -> None:
    search, tried = ahead(opened, Slow(), trials=1000), []
    while (config := asked(search, len(tried), lambda config, times=1: config not in tried)) is not None:
        tried.append(config)
    assert len(tried) == 100


def test_a_trial_added_in_the_meantime_gets_its_number(opened: list[ProposalsAhead]) -> None:
    method = Slow()
    search = ahead(opened, method)
    configs = [asked(search, number) for number in range(2)]
    eventually(lambda: ("ask", 2) in method.calls)
    search.resume(2, {"x": 1, "y": 1})
    assert asked(search, 3) == RandomSearch(SPACE, 0).ask(3, anything)
    assert configs == [RandomSearch(SPACE, 0).ask(number, anything) for number in range(2)]
    eventually(lambda: method.calls.count(("resume", 2)) == 2)
    about_two = [name for name, number in method.calls if number == 2]
    assert about_two[-2:] == ["forget", "resume"]  # the added trial still counts as running


def test_what_the_method_raises_reaches_the_driver(opened: list[ProposalsAhead]) -> None:
    class Broken(Slow):
        def tell(self, observation: Observation) -> None:
            raise ZeroDivisionError("in tell")

    search = ahead(opened, Broken())
    asked(search, 0)
    search.tell(ended(0))
    with pytest.raises(ZeroDivisionError, match="in tell"):
        asked(search, 1)


def test_a_sweep_with_it_ends_as_without() -> None:
    made: list[ProposalsAhead] = []

    def beside(search: Any, trials: int) -> ProposalsAhead:
        made.append(ProposalsAhead(search, trials=trials, live=lambda: sweep.live))
        return made[-1]

    spec = parse_spec(SPEC | {"budget": {"trials": 25}}, base=Path())
    without, sweep = build_sweep(spec, None), build_sweep(spec, None, ahead=beside)
    for each in (without, sweep):
        one_by_one(each)
    made[0].close()
    assert [trial.config for trial in sweep.trials] == [trial.config for trial in without.trials]
    assert {trial.state for trial in sweep.trials} == {State.COMPLETED}
    assert {trial.origin for trial in sweep.trials} == {Origin.SEARCH}


def one_by_one(sweep: Sweep) -> None:
    at = 0.0
    while not sweep.finished:
        start = sweep.ask(at)
        if start is None:
            continue
        at += 1
        sweep.on(events.Started(trial=start.trial, at=at))
        report = Report(step=1, train_s=1.0, reported_at=at, metrics={"loss": start.config["x"] + start.config["y"]})
        sweep.on(events.Reported(trial=start.trial, at=at, reports=[report]))
        sweep.on(events.Finished(trial=start.trial, at=at, train_s=1.0))
