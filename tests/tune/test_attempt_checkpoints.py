"""What of an attempt is on the disk when it ends, in each way that it may end. Without Ray."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import Start
from orchestrator.spec import Objective
from orchestrator.tune.attempt import Attempt
from orchestrator.tune.job import Ended, Job
from trainables.checkpoint import load
from trainables.contract import Trial
from trainables.isolation import Isolation

Make = Callable[..., Attempt]
MAX = Objective(metric="loss", mode="max", diverged_above=1e6)


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Make]:
    made: list[Attempt] = []

    def make(
        run: Callable[[Trial], object], *, rungs: tuple[int, ...] = (), bar: float = math.inf, **job: Any
    ) -> Attempt:
        settings = {"heartbeat_s": 0.2, "objective": Objective(metric="loss"), "save_every_s": 3600.0} | job
        order = Start(trial=7, attempt=len(made) + 1, config={}, seed=11, rungs=rungs)
        told = Job(
            trainable="",
            base=str(tmp_path),
            logs=str(tmp_path),
            trials=str(tmp_path / "trials"),
            checkpoints=str(tmp_path / "checkpoints"),
            **settings,
        )
        made.append(Attempt(order, told, run, Isolation(), bar))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def files(tmp_path: Path) -> Callable[[], dict[str, int]]:
    """Each checkpoint's name, and the step in it."""

    def read() -> dict[str, int]:
        directory = tmp_path / "checkpoints" / "7"
        return {path.stem: load(path)["step"] for path in sorted(directory.glob("*"))}

    return read


def ended(attempt: Attempt) -> Ended:
    while True:
        _, _, ended = attempt.collect()
        if ended is not None:
            return ended


def train(trial: Trial, losses: tuple[float, ...] = (3.0, 1.0, 2.0)) -> None:
    restored = trial.restore() or {"step": 0}
    for step in range(restored["step"] + 1, len(losses) + 1):
        trial.save(step=step, weight=random.random())
        trial.report(step=step, loss=losses[step - 1])


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("best", {"best": 2}), ("last", {"last": 3}), ("both", {"best": 2, "last": 3}), ("none", {})],
)
def test_of_a_completed_trial_stands_what_is_kept_before_its_end_is_told(
    attempt: Make, files: Any, keep: str, expected: dict[str, int]
) -> None:
    assert ended(attempt(train, keep=keep)).failure is None
    assert files() == expected


def test_at_the_last_step_too(attempt: Make, files: Any) -> None:
    made = attempt(lambda trial: train(trial, (5.0, 4.0, 3.0, 2.0, 1.0)), max_step=3, keep="last")
    measurements, _, _ = made.collect()
    assert [each.step for each in measurements] == [1, 2, 3]
    assert files() == {"last": 3}


def test_the_best_is_the_objectives(attempt: Make, files: Any) -> None:
    attempt_ = attempt(lambda trial: train(trial, (3.0, 7.0, 2.0)), objective=MAX)
    ended(attempt_)
    assert files() == {"best": 2}


def test_what_diverged_is_never_best(attempt: Make, files: Any) -> None:
    made = attempt(
        lambda trial: train(trial, (3.0, -1e9, 4.0)),
        objective=MAX,
        keep="both",
    )
    while made.collect()[2] is None:  # as a driver that lets it go on
        pass
    assert files() == {"best": 3, "last": 3}


def test_interrupted_it_stands_at_its_last_save(attempt: Make, files: Any) -> None:
    reached = threading.Event()

    def run(trial: Trial) -> None:
        train(trial)
        reached.set()
        for step in range(4, 10**6):
            time.sleep(0.01)
            trial.report(step=step, loss=9.0)

    made = attempt(run)
    assert reached.wait(10)
    assert made.end()
    assert files() == {"best": 2, "last": 3}


@pytest.mark.parametrize(("bar", "expected"), [(0.5, {}), (1.0, {}), (1.5, {"best": 2})])
def test_stopped_at_a_rung_it_is_written_only_if_it_may_be_the_best_of_all(
    attempt: Make, files: Any, bar: float, expected: dict[str, int]
) -> None:
    made = attempt(lambda trial: train(trial, (3.0, 1.0, 2.0)), rungs=(3,), bar=bar)
    made.collect()
    assert made.end()
    assert files() == expected


@pytest.mark.parametrize(("error", "expected"), [(OverflowError(), {}), (ValueError(), {"best": 2, "last": 3})])
def test_a_failure_can_be_gone_on_from_and_an_overflow_not(
    attempt: Make, files: Any, error: Exception, expected: dict[str, int]
) -> None:
    def run(trial: Trial) -> None:
        train(trial)
        raise error

    assert ended(attempt(run)).failure is not None
    assert files() == expected


def test_a_further_attempt_draws_what_the_first_would_have(attempt: Make, tmp_path: Path) -> None:
    drawn: list[float] = []

    def run(trial: Trial) -> None:
        restored = trial.restore() or {"step": 0}
        for step in range(restored["step"] + 1, 7):
            drawn.append(random.random())
            trial.save(step=step)
            trial.report(step=step, loss=1.0)
            if step == 3 and not restored["step"]:
                raise RuntimeError("once")

    assert ended(attempt(run)).failure is not None
    assert ended(attempt(run)).failure is None
    once = random.Random(11)
    assert drawn == [once.random() for _ in range(6)]


def test_a_disk_that_refuses_is_one_line(attempt: Make, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").touch()
    assert ended(attempt(train)).failure is None
    said = (tmp_path / "7.log").read_text()
    assert said.count("\n") == 1
    assert "no checkpoint can be written: Not a directory. Training and recording go on" in said


def test_what_cannot_be_saved_is_a_failure_at_the_users_line(attempt: Make) -> None:
    failure = ended(attempt(lambda trial: trial.save(step=1, stream=random.Random()))).failure
    assert failure is not None
    assert "trial.save(stream=…): random.Random cannot be saved" in failure.message
    assert "test_attempt_checkpoints.py" in failure.fingerprint


def test_after_its_timeout_it_saves_no_more(attempt: Make, files: Any) -> None:
    late = threading.Event()

    def run(trial: Trial) -> None:
        train(trial)
        time.sleep(1.0)
        trial.save(step=4)
        late.set()

    failure = ended(attempt(run, timeout_s=0.4)).failure
    assert failure is not None
    assert failure.type == "Timeout"
    assert late.wait(10)
    assert files() == {}


def test_a_silent_trial_that_saves_leaves_no_log(attempt: Make, tmp_path: Path) -> None:
    ended(attempt(train))
    assert not (tmp_path / "7.log").exists()
