"""Shares of a GPU: chosen by measured peaks, doubled when memory runs out, and unchanged by a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.inventory import this_machine
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.gpu_packing import FIRST, MOST, GpuShares, extra_slots, larger
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import GPU_MEMORY, GPU_OUT_OF_MEMORY, OUT_OF_MEMORY, PACKING, EventRow, Failure, State
from orchestrator.core.sweep import Sweep
from orchestrator.sites.placement import sharing
from orchestrator.spec import parse_spec
from trainables.report import Report

SIZE_GB = 16.0


def chosen(*peaks: float, size_gb: float = SIZE_GB) -> GpuShares:
    shares = GpuShares(1.0, packed=True)
    for trial, peak in enumerate(peaks):
        shares.measured(trial, peak_gb=peak, size_gb=size_gb)
        shares.ended(trial)
    return shares


class TestChoice:
    @pytest.mark.parametrize(
        ("peak", "together"),
        [
            (0.5, MOST),  # more would fit
            (2.0, 5),  # 2.9 GB each
            (3.0, 3),  # 4.1
            (5.0, 2),  # 6.5
            (6.25, 2),  # 8.0: exactly half of the GPU
            (6.3, 1),
            (15.9, 1),
        ],
    )
    def test_as_many_share_a_gpu_as_fit_with_headroom(self, peak: float, together: int) -> None:
        shares = chosen(peak, 0.1, 0.1)
        assert shares.gpus == pytest.approx(1 / together, abs=1e-4)
        assert not shares.measuring
        assert together * round(shares.gpus, 4) <= 1  # with Ray's resolution

    def test_the_largest_peak_on_the_smallest_gpu_decides(self) -> None:
        shares = GpuShares(1.0, packed=True)
        for trial, size in enumerate((80.0, 10.0, 80.0)):
            shares.measured(trial, peak_gb=2.0, size_gb=size)
            shares.ended(trial)
        assert shares.gpus == pytest.approx(1 / 3, abs=1e-4)  # 2.9 of 10

    def test_a_running_trial_counts_from_its_second_sample_on(self) -> None:
        shares = GpuShares(1.0, packed=True)
        firsts = [shares.measured(trial, peak_gb=1.0, size_gb=SIZE_GB) for trial in range(FIRST)]
        assert firsts == [None] * FIRST
        assert shares.gpus == 1.0
        seconds = [shares.measured(trial, peak_gb=4.0, size_gb=SIZE_GB) for trial in range(FIRST)]
        assert seconds[:-1] == [None] * (FIRST - 1)
        choice = seconds[-1]
        assert choice is not None
        assert choice.gpus == shares.gpus == pytest.approx(1 / 3, abs=1e-4)
        assert choice.reason == (
            "gpu: packed: 3 trials share a GPU, because the first 3 used up to 4.0 of 16.0 GB of memory"
        )
        assert shares.measured(9, peak_gb=15.0, size_gb=SIZE_GB) is None  # chosen once

    def test_without_measurements_each_trial_keeps_a_gpu_and_a_note_says_so(self) -> None:
        shares = GpuShares(1.0, packed=True)
        choices = [shares.ended(trial) for trial in range(FIRST)]
        assert choices[-1] is not None
        assert choices[-1].gpus == shares.gpus == 1.0
        assert "could not be measured" in choices[-1].reason

    @pytest.mark.parametrize("shares", [GpuShares(0.5), GpuShares(2.0), GpuShares(0.0, packed=True)])
    def test_shares_without_packing_or_gpus_stay_as_they_are(self, shares: GpuShares) -> None:
        before = shares.gpus
        assert all(shares.measured(trial, peak_gb=1.0, size_gb=SIZE_GB) is None for trial in range(9))
        assert all(shares.ended(trial) is None for trial in range(9))
        assert shares.gpus == before


@pytest.mark.parametrize(
    ("gpus", "twice"), [(0.125, 0.25), (0.3, 0.6), (0.5, 1.0), (0.7, 1.0), (1.0, None), (2.0, None), (0.0, None)]
)
def test_a_larger_share_is_twice_as_large_up_to_a_whole_gpu(gpus: float, twice: float | None) -> None:
    assert larger(gpus) == twice


@pytest.mark.parametrize(
    ("gpus", "share", "extra"),
    [
        (0.25, 0.25, 0),
        (0.5, 0.25, 1),
        (1.0, 0.25, 3),
        (1.0, 1 / 3, 2),
        (0.6, 0.3, 1),
        (1.0, 0.3, 2),
        (0, 0, 0),
        (2, 2, 0),
    ],
)
def test_a_larger_share_takes_several_slots(gpus: float, share: float, extra: int) -> None:
    assert extra_slots(gpus, share) == extra


# In the state machine ------------------------------------------------------------------------------------------


def make(gpu: Any = "packed", gpus: float = 1.0, **sections: Any) -> Sweep:
    data = {
        "trainable": "mine:train",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "scheduler": {"method": "none"},
        "budget": {"trials": 12},
        "resources": {"gpu": gpu},
    } | sections
    return build_sweep(parse_spec(data, base=Path()), None, gpus_per_trial=gpus)


def start(sweep: Sweep, at: float) -> events.Start:
    order = sweep.ask(at)
    assert order is not None
    sweep.on(events.Started(trial=order.trial, at=at))
    return order


def report(sweep: Sweep, trial: int, at: float, peak_gb: float | None, step: int = 1, train_s: float = 1.0) -> None:
    sample = {} if peak_gb is None else {GPU_MEMORY: peak_gb}
    report = Report(step=step, train_s=train_s, reported_at=at, metrics={"loss": 0.5} | sample)
    sweep.on(events.Reported(trial=trial, at=at, reports=[report], gpu_gb=peak_gb and SIZE_GB))


def out_of_memory(sweep: Sweep, trial: int, at: float) -> None:
    failure = Failure(type=GPU_OUT_OF_MEMORY, message="CUDA out of memory", fingerprint="GpuOutOfMemory at a.py:1")
    sweep.on(events.Failed(trial=trial, at=at, failure=failure, train_s=2.0))


def through(sweep: Sweep, peak_gb: float | None, at: float) -> events.Start:
    order = start(sweep, at)
    report(sweep, order.trial, at + 1, peak_gb)
    sweep.on(events.Finished(trial=order.trial, at=at + 2, train_s=2.0))
    return order


def restarted(sweep: Sweep, before: list[EventRow], **made: Any) -> Sweep:
    rows = sweep.take(50.0)
    again = make(**made)
    replay(again, Recorded(events=[*before, *rows.events], metrics=rows.metrics, trials=rows.trials), at=100.0)
    return again


def test_trials_share_gpus_once_the_first_are_measured() -> None:
    sweep = make()
    first = [through(sweep, 3.0, 10.0 * trial).gpus for trial in range(FIRST)]
    assert first == [1.0] * FIRST
    assert start(sweep, 90.0).gpus == pytest.approx(1 / 3, abs=1e-4)
    rows = sweep.take(90.0)
    (event,) = (row for row in rows.events if row.event == PACKING)
    assert event.detail == {"gpus": pytest.approx(1 / 3, abs=1e-4)}
    assert event.reason is not None
    assert "3 trials share a GPU" in event.reason
    assert [row.gpus for row in rows.trials] == [*first, pytest.approx(1 / 3, abs=1e-4)]


def test_a_trial_with_a_whole_gpu_takes_the_slots_of_those_that_share_one() -> None:
    sweep = make()
    orders = [start(sweep, 1.0) for _ in range(4)]
    assert sweep.surplus == 0
    for order in orders[:FIRST]:
        report(sweep, order.trial, 2.0, 3.0)
        sweep.on(events.Finished(trial=order.trial, at=3.0))
    start(sweep, 4.0)
    assert (sweep.live, sweep.surplus) == (2, 2)  # a whole GPU and a third of another: four thirds


def test_a_restart_keeps_the_choice() -> None:
    sweep = make()
    for number in range(FIRST):
        through(sweep, 3.0, 10.0 * number)
    again = restarted(sweep, [])
    assert again.gpu_shares.gpus == pytest.approx(1 / 3, abs=1e-4)
    assert not again.gpu_shares.measuring
    assert [trial.gpus for trial in again.trials] == [1.0] * FIRST
    assert again.usage.gpu_s == again.usage.trained_s > 0  # a GPU each
    assert start(again, 101.0).gpus == pytest.approx(1 / 3, abs=1e-4)


def test_a_restart_before_the_choice_measures_anew() -> None:
    sweep = make()
    through(sweep, 3.0, 0.0)
    again = restarted(sweep, [])
    assert again.gpu_shares.measuring
    assert [through(again, 3.0, 100.0 + 10 * each).gpus for each in range(FIRST)] == [1.0] * FIRST
    assert start(again, 200.0).gpus < 1


def test_trials_without_memory_metrics_keep_a_gpu_each() -> None:
    sweep = make()
    assert {through(sweep, None, 10.0 * trial).gpus for trial in range(6)} == {1.0}
    notes = [row.reason for row in sweep.take(99.0).events if row.event == PACKING]
    assert len(notes) == 1
    assert "could not be measured" in str(notes[0])


def test_a_sweep_that_ends_early_makes_no_choice() -> None:
    sweep = make()
    for _ in range(FIRST):
        start(sweep, 1.0)
    sweep.on(events.Halted(at=2.0, reason="enough"))
    assert not [row for row in sweep.take(3.0).events if row.event == PACKING]


def test_running_out_of_memory_doubles_the_share_once_and_is_no_failure() -> None:
    sweep = make(gpu=0.25, gpus=0.25)
    order = start(sweep, 0.0)
    out_of_memory(sweep, order.trial, 2.0)
    trial = sweep.trials[order.trial]
    assert (trial.state, trial.failures) == (State.PENDING, 0)
    again = start(sweep, 3.0)
    assert (again.trial, again.attempt, again.gpus) == (order.trial, 2, 0.5)
    assert sweep.surplus == 1
    assert start(sweep, 3.0).gpus == 0.25

    (retry,) = (row for row in sweep.take(4.0).events if row.event == "retry")
    assert retry.decision == OUT_OF_MEMORY
    assert retry.reason == "GpuOutOfMemory: CUDA out of memory; retrying with 0.5 of a GPU"
    assert retry.detail is not None
    assert (retry.detail["gpus"], retry.detail["type"]) == (0.5, GPU_OUT_OF_MEMORY)

    out_of_memory(sweep, order.trial, 5.0)
    assert (trial.state, trial.failures) == (State.FAILED, 1)


def test_running_out_of_a_whole_gpu_fails_the_trial() -> None:
    sweep = make(gpu=1, gpus=1.0)
    out_of_memory(sweep, start(sweep, 0.0).trial, 1.0)
    assert sweep.trials[0].state is State.FAILED


def test_a_larger_share_outlives_a_restart() -> None:
    sweep = make(gpu=0.25, gpus=0.25)
    out_of_memory(sweep, start(sweep, 0.0).trial, 2.0)
    again = restarted(sweep, [], gpu=0.25, gpus=0.25)
    order = start(again, 101.0)
    assert (order.trial, order.gpus) == (0, 0.5)
    assert again.trials[0].failures == 0
    out_of_memory(again, 0, 102.0)
    assert again.trials[0].state is State.FAILED


def test_gpu_hours_count_the_share_of_each_trial() -> None:
    sweep = make(gpu=0.25, gpus=0.25, budget={"trials": 9, "gpu_hours": 3 / 3600})
    out_of_memory(sweep, start(sweep, 0.0).trial, 2.0)  # 2 s of a quarter
    start(sweep, 3.0)
    report(sweep, 0, 7.0, None, train_s=6.0)  # and 4 s of a half
    assert sweep.usage.gpu_s == pytest.approx(2.5)
    sweep.on(events.Ticked(at=8.0))
    assert sweep.halted is None
    report(sweep, 0, 9.0, None, step=2, train_s=7.0)
    sweep.on(events.Ticked(at=9.0))
    assert sweep.halted is not None
    assert "GPU-hours" in sweep.halted


# Slots on nodes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpus", "gpus", "surplus", "together"),
    [
        (16, 1.0, 0, 2),
        (16, 0.25, 0, 8),
        (16, 0.25, 3, 5),  # one trial still has a whole GPU
        (5, 0.25, 3, 5),  # the CPUs are the limit, and a larger share takes none of them
        (5, 0.25, 6, 2),  # both GPUs are taken
    ],
)
def test_slots_follow_the_share(cpus: int, gpus: float, surplus: int, together: int) -> None:
    data = {
        "trainable": "mine:train",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "resources": {"gpu": "packed"},
    }
    nodes = [this_machine(cpus=cpus, gpus=2)]
    assert sharing(parse_spec(data, base=Path()), nodes, gpus, surplus) == together
