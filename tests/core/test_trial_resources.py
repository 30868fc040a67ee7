"""A sweep whose trials ask for different resources: what each is given, counts and keeps over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import GPU_OUT_OF_MEMORY, Failure, State
from orchestrator.core.sweep import Sweep
from orchestrator.spec import Spec, parse_spec
from trainables.report import Report

SPEC: dict[str, Any] = {
    "trainable": "linear",
    "space": {"size": {"choice": [1, 2, 4, 9]}},
    "objective": {"metric": "loss"},
    "search": {"method": "list", "configs": [{"size": size} for size in (2, 1, 4)]},
    "resources": {"gpu": "size", "cpu": "2 * size", "workers": 2},
    "scheduler": {"method": "none"},
}


def spec(**sections: Any) -> Spec:
    return parse_spec({**SPEC, **sections}, base=Path())


def train(sweep: Sweep, start: events.Start, seconds: float) -> None:
    sweep.on(events.Started(trial=start.trial, at=1.0))
    report = Report(step=1, metrics={"loss": 1.0}, train_s=seconds, reported_at=2.0)
    sweep.on(events.Reported(trial=start.trial, at=2.0, reports=[report]))


def test_each_trial_has_what_it_asks_for_and_counts_as_much() -> None:
    sweep = build_sweep(spec(), None, gpus_per_trial=4.0)
    starts = [start for _ in range(3) if (start := sweep.ask(0.0)) is not None]
    assert [start.gpus for start in starts] == [4, 2, 8], "of two ranks"
    assert [start.asked.cpus for start in starts] == [4, 2, 8], "of one"
    for start in starts:
        train(sweep, start, 10.0)
    assert sweep.usage.gpu_s == 10 * (4 + 2 + 8)


def test_a_restart_knows_what_the_trials_had() -> None:
    sweep = build_sweep(spec(), None, gpus_per_trial=4.0)
    for _ in range(2):
        start = sweep.ask(0.0)
        assert start is not None
        train(sweep, start, 10.0)
    rows = sweep.take(3.0)
    again = build_sweep(spec(), None, gpus_per_trial=4.0)
    replay(again, Recorded(events=rows.events, metrics=rows.metrics, trials=rows.trials), 9.0)
    assert again.usage.gpu_s == sweep.usage.gpu_s
    starts = [start for _ in range(3) if (start := again.ask(9.0)) is not None]
    assert [start.gpus for start in starts] == [4, 2, 8]


def test_a_trial_that_ran_out_of_memory_gets_twice_its_own_share() -> None:
    sweep = build_sweep(spec(resources={"gpu": "size / 16"}), None, gpus_per_trial=0.2)
    start = sweep.ask(0.0)
    assert start is not None
    assert start.gpus == 0.125
    sweep.on(events.Started(trial=0, at=1.0))
    failure = Failure(type=GPU_OUT_OF_MEMORY, message="", fingerprint="")
    sweep.on(events.Failed(trial=0, at=2.0, failure=failure, train_s=1.0))
    again = sweep.ask(9.0)
    assert again is not None
    assert (again.trial, again.gpus) == (0, 0.25)


def test_a_configuration_without_an_amount_fails_alone() -> None:
    """The check has drawn no such configuration, or it was added while the sweep ran."""
    sweep = build_sweep(spec(resources={"cpu": "1 / (9 - size)", "gpu": 0}), None)
    sweep.on(events.ConfigAdded(at=0.0, config={"size": 9}, by="me"))
    start = sweep.ask(0.0)
    assert start is not None
    assert start.trial == 1
    failed = sweep.trials[0]
    assert failed.state is State.FAILED
    assert failed.reason is not None
    assert "resources: '1 / (9 - size)' cannot be evaluated for size = 9: division by zero" in failed.reason
