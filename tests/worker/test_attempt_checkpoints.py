"""Which checkpoints are on the disk after an attempt, for every way in which an attempt ends. Without Ray."""

from __future__ import annotations

import math
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.events import Start
from orchestrator.spec import Objective
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.messages import AttemptEnd, WorkerSettings
from trainables.checkpoints.files import load
from trainables.process.isolation import SharedProcess
from trainables.trial import Trial

Make = Callable[..., Attempt]
MAX = Objective(metric="loss", mode="max", diverged_above=1e6)


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Make]:
    made: list[Attempt] = []

    def make(
        run: Callable[[Trial], object],
        *,
        rungs: tuple[int, ...] = (),
        to_beat: float = math.inf,
        recorded: int | None = None,
        trained_s: float = 0.0,
        pauses: bool = False,
        **job: Any,
    ) -> Attempt:
        settings = {"heartbeat_s": 0.2, "objective": Objective(metric="loss"), "save_every_s": 3600.0} | job
        order = Start(
            trial=7,
            attempt=len(made) + 1,
            config={},
            seed=11,
            rungs=rungs,
            pauses=pauses,
            recorded=recorded,
            trained_s=trained_s,
            to_beat=to_beat,
        )
        told = WorkerSettings(
            trainable="",
            base=str(tmp_path),
            logs=str(tmp_path),
            trials=str(tmp_path / "trials"),
            journals=str(tmp_path / "journals"),
            checkpoints=str(tmp_path / "checkpoints"),
            **settings,
        )
        made.append(Attempt(order, told, run, SharedProcess()))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def files(tmp_path: Path) -> Callable[[], dict[str, int]]:
    """The step in each checkpoint, by name."""

    def read() -> dict[str, int]:
        directory = tmp_path / "checkpoints" / "7"
        return {path.stem: load(path)["step"] for path in sorted(directory.glob("*"))}

    return read


def ended(attempt: Attempt) -> AttemptEnd:
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
def test_a_completed_trial_is_saved_before_its_end_is_reported(
    attempt: Make, files: Any, keep: str, expected: dict[str, int]
) -> None:
    assert ended(attempt(train, keep=keep)).failure is None
    assert files() == expected


def test_a_trial_at_its_last_step_is_saved_before_the_report(attempt: Make, files: Any) -> None:
    made = attempt(lambda trial: train(trial, (5.0, 4.0, 3.0, 2.0, 1.0)), max_step=3, keep="last")
    reports, _, _ = made.collect()
    assert [each.step for each in reports] == [1, 2, 3]
    assert files() == {"last": 3}


def test_a_trial_whose_time_is_over_is_saved_before_the_report(attempt: Make, files: Any) -> None:
    made = attempt(lambda trial: train(trial, (5.0, 4.0, 3.0)), max_time_s=1e-9, keep="last")
    reports, _, _ = made.collect()
    assert [each.step for each in reports] == [1]
    assert files() == {"last": 1}


def test_the_best_checkpoint_is_that_of_the_objective(attempt: Make, files: Any) -> None:
    attempt_ = attempt(lambda trial: train(trial, (3.0, 7.0, 2.0)), objective=MAX)
    ended(attempt_)
    assert files() == {"best": 2}


def test_a_diverged_report_is_never_best(attempt: Make, files: Any) -> None:
    made = attempt(
        lambda trial: train(trial, (3.0, -1e9, 4.0)),
        objective=MAX,
        keep="both",
    )
    while made.collect()[2] is None:  # as a driver that lets it go on
        pass
    assert files() == {"best": 3, "last": 3}


def test_an_interrupted_trial_keeps_its_last_save(attempt: Make, files: Any) -> None:
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


def test_where_a_trial_may_pause_its_state_is_on_the_disk_before_the_report_is(attempt: Make, files: Any) -> None:
    made = attempt(lambda trial: train(trial, (3.0, 1.0, 2.0, 4.0)), rungs=(3,), pauses=True, keep="none")
    reports, _, _ = made.collect()
    assert [each.step for each in reports] == [1, 2, 3]
    assert (made.saved, files()) == (3, {"best": 2, "last": 3})
    assert made.end()
    assert files() == {"best": 2, "last": 3}, "what a paused trial continues from"
    again = attempt(lambda trial: train(trial, (3.0, 1.0, 2.0, 4.0)), rungs=(3,), pauses=True, recorded=3)
    assert [each.step for each in again.collect()[0]] == [4]


def test_a_trial_that_saves_files_pauses_and_continues_from_them(attempt: Make, files: Any, tmp_path: Path) -> None:
    def run(trial: Trial) -> None:
        restored = trial.restore()
        epoch = 0 if restored is None else int(restored["path"].read_text())
        for step in range(epoch + 1, 5):
            (trial.directory / "last.ckpt").write_text(str(step))
            trial.save(step=step, path=trial.directory / "last.ckpt")
            trial.report(step=step, loss=1 / step)

    made = attempt(run, rungs=(3,), pauses=True, keep="none")
    made.collect()
    assert made.saved == 3
    assert made.end()
    (tmp_path / "trials" / "7" / "last.ckpt").unlink()
    again = attempt(run, rungs=(3,), pauses=True, recorded=3, keep="best")
    assert [each.step for each in again.collect()[0]] == [4]
    assert ended(again).failure is None
    assert load(tmp_path / "checkpoints" / "7" / "best.json")["path"].read_text() == "4"


def test_a_rung_that_earlier_reports_had_passed_is_decided_at_the_next_report(attempt: Make) -> None:
    ended(attempt(lambda trial: train(trial, (3.0, 2.0)), keep="both"))
    again = attempt(lambda trial: train(trial, (3.0, 2.0, 1.0, 0.5)), rungs=(1,), pauses=True, recorded=2)
    reports, _, _ = again.collect()
    assert ([each.step for each in reports], again.saved) == ([3], 3)


def test_a_trial_cannot_pause_at_a_step_that_it_has_not_saved(attempt: Make) -> None:
    def rarely(trial: Trial) -> None:
        for step in range(1, 5):
            if step % 2 == 0:
                trial.save(step=step, weight=0.5)
            trial.report(step=step, loss=1.0)

    made = attempt(rarely, rungs=(3,), pauses=True)
    made.collect()
    assert made.saved == 2


def test_a_trial_that_saves_nothing_cannot_pause(attempt: Make) -> None:
    never = attempt(lambda trial: trial.report(step=3, loss=1.0), rungs=(3,), pauses=True)
    never.collect()
    assert never.saved is None


def test_a_trial_cannot_pause_if_its_state_cannot_be_written(
    attempt: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainables.checkpoints.saving.replacing", refuse)
    made = attempt(train, rungs=(3,), pauses=True)
    made.collect()
    assert made.saved is None
    assert "No space left" in made.trouble


@pytest.mark.parametrize(("to_beat", "expected"), [(0.5, {}), (1.0, {"best": 2}), (1.5, {"best": 2})])
def test_a_trial_stopped_at_a_rung_is_written_only_if_it_may_be_the_best(
    attempt: Make, files: Any, to_beat: float, expected: dict[str, int]
) -> None:
    made = attempt(lambda trial: train(trial, (3.0, 1.0, 2.0)), rungs=(3,), to_beat=to_beat)
    made.collect()
    assert made.end()
    assert files() == expected


@pytest.mark.parametrize(("error", "expected"), [(OverflowError(), {}), (ValueError(), {"best": 2, "last": 3})])
def test_a_failed_trial_can_be_continued_and_an_overflown_one_cannot(
    attempt: Make, files: Any, error: Exception, expected: dict[str, int]
) -> None:
    def run(trial: Trial) -> None:
        train(trial)
        raise error

    assert ended(attempt(run)).failure is not None
    assert files() == expected


def test_a_further_attempt_draws_the_same_random_numbers(attempt: Make, tmp_path: Path) -> None:
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


def test_a_failing_disk_is_one_line_in_the_log(attempt: Make, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").touch()
    assert ended(attempt(train)).failure is None
    said = (tmp_path / "7.log").read_text()
    assert said.count("\n") == 1
    assert "checkpoints cannot be written: Not a directory; training and recording continue" in said


def test_a_state_that_cannot_be_saved_is_a_failure_at_the_users_line(attempt: Make) -> None:
    failure = ended(attempt(lambda trial: trial.save(step=1, stream=random.Random()))).failure
    assert failure is not None
    assert "trial.save(stream=…): random.Random cannot be saved" in failure.message
    assert "test_attempt_checkpoints.py" in failure.fingerprint


def test_after_its_timeout_a_trial_saves_no_more(attempt: Make, files: Any) -> None:
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


class TestAheadOfTheRecords:
    """A checkpoint may be newer than the records when the driver or the worker dies."""

    LOSSES = (9.0, 8.0, 7.0, 6.0, 5.0, 4.0)

    def cut_off_at(self, attempt: Make, step: int) -> None:
        """Kill an attempt after a step; its files stay."""
        reached = threading.Event()

        def run(trial: Trial) -> None:
            for number in range(1, step + 1):
                trial.save(step=number, weight=float(number))
                trial.report(step=number, loss=self.LOSSES[number - 1])
            reached.set()
            while True:
                time.sleep(0.01)

        made = attempt(run, save_every_s=0.0, keep="both")
        assert reached.wait(10)
        made._checkpoints.close("none")
        with made._journal._lock:  # what a checkpoint has not made safe by now is lost
            made._journal._unwritten.clear()

    def go_on(self, trial: Trial) -> None:
        train(trial, self.LOSSES)

    @pytest.mark.parametrize("recorded", [None, 1, 3, 4])
    def test_unrecorded_reports_are_sent_again(self, attempt: Make, recorded: int | None) -> None:
        self.cut_off_at(attempt, 4)
        made = attempt(self.go_on, recorded=recorded, trained_s=0.0)
        reports, _, _ = made.collect()
        steps = [each.step for each in reports]
        assert steps == list(range((recorded or 0) + 1, 7))
        assert [each.metrics["loss"] for each in reports] == [self.LOSSES[step - 1] for step in steps]
        trained = [each.train_s for each in reports]
        assert trained == sorted(trained)

    def test_without_a_checkpoint_a_trial_starts_over(self, attempt: Make, tmp_path: Path) -> None:
        self.cut_off_at(attempt, 4)
        shutil.rmtree(tmp_path / "checkpoints" / "7")
        made = attempt(self.go_on, recorded=4)
        assert [each.step for each in made.collect()[0]] == [1, 2, 3, 4, 5, 6]

    def test_a_report_sent_again_waits_for_its_decision(self, attempt: Make) -> None:
        self.cut_off_at(attempt, 4)
        made = attempt(self.go_on, recorded=1, rungs=(3,))
        assert [each.step for each in made.collect()[0]] == [2, 3]
        assert [each.step for each in made.collect()[0]] == [4, 5, 6]

    def test_a_trial_that_reported_its_last_step_only_ends(self, attempt: Make) -> None:
        self.cut_off_at(attempt, 4)
        made = attempt(lambda trial: pytest.fail("trains"), recorded=1, max_step=4)
        assert [each.step for each in made.collect()[0]] == [2, 3, 4]
        assert made.end()

    def test_it_can_pause_at_a_report_sent_again_if_that_state_is_saved(self, attempt: Make, files: Any) -> None:
        self.cut_off_at(attempt, 4)
        made = attempt(self.go_on, recorded=1, rungs=(4,), pauses=True)
        assert [each.step for each in made.collect()[0]] == [2, 3, 4]
        assert made.saved == 4
        assert made.end()
        assert files() == {"best": 4, "last": 4}

    def test_where_reports_cannot_be_made_safe_no_checkpoint_is_written(
        self, attempt: Make, files: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "journals").touch()
        made = attempt(train, keep="both")
        assert ended(made).failure is None
        assert files() == {}
        assert made.trouble == "Not a directory"

    def test_a_state_is_written_only_when_its_report_has_come(self, attempt: Make, files: Any) -> None:
        def run(trial: Trial) -> None:
            trial.save(step=1, weight=1.0)
            trial.report(step=1, loss=1.0)
            trial.save(step=2, weight=2.0)
            raise ValueError("between the save and the report of step 2")

        assert ended(attempt(run, keep="both")).failure is not None
        assert files() == {"best": 1, "last": 1}

    def test_a_state_saved_after_the_last_report_is_kept(self, attempt: Make, files: Any) -> None:
        def run(trial: Trial) -> None:
            trial.report(step=1, loss=1.0)
            trial.save(step=1, weight=1.0)
            trial.save(step=2, weight=2.0)

        ended(attempt(run, keep="both"))
        assert files() == {"best": 1, "last": 2}

    def test_the_report_at_which_a_trial_ends_is_sent_again(self, attempt: Make) -> None:
        reporting = threading.Event()

        def run(trial: Trial) -> None:
            for number in range(1, 5):
                if number == 4:
                    reporting.set()
                    time.sleep(0.3)  # it is told to end meanwhile
                trial.save(step=number, weight=1.0)
                trial.report(step=number, loss=1.0)

        made = attempt(run)
        assert reporting.wait(10)
        assert made.end()
        again = attempt(self.go_on, recorded=2)
        assert [each.step for each in again.collect()[0]] == [3, 4, 5, 6]


class TestWithoutOurCheckpoints:
    """The trainable has none, or keeps its own, as scripts and Hugging Face's Trainer do."""

    @pytest.mark.parametrize("begin", [1, 4])
    def test_what_an_earlier_attempt_reported_is_sent_first(self, attempt: Make, begin: int) -> None:
        def run(trial: Trial) -> None:
            for step in range(begin if again else 1, 7):
                trial.report(step=step, loss=1.0 / step)
                if step == 3 and not again:
                    again.append(True)
                    raise RuntimeError("once")

        again: list[bool] = []
        assert ended(attempt(run)).failure is not None
        reports, trained, _ = attempt(run, recorded=1, trained_s=0.5).collect()
        assert [each.step for each in reports] == [2, 3, *range(begin, 7)]
        assert [each.metrics["loss"] for each in reports] == [1.0 / each.step for each in reports]
        assert trained >= 0.5

    def test_a_kill_in_the_further_attempt_loses_nothing_either(self, attempt: Make) -> None:
        def upto(last: int) -> Callable[[Trial], None]:
            def run(trial: Trial) -> None:
                for step in range(1, last + 1):
                    trial.report(step=step, loss=1.0)
                raise RuntimeError("here")

            return run

        for last in (4, 2, 5):
            assert ended(attempt(upto(last))).failure is not None
        reports = attempt(lambda trial: None, recorded=1).collect()[0]
        assert [each.step for each in reports] == [2, 3, 4, 5]

    def test_seconds_of_training_go_on_from_the_last_report(self, attempt: Make) -> None:
        def run(trial: Trial) -> None:
            trial.report(step=1, loss=1.0)
            time.sleep(0.3)
            trial.report(step=2, loss=1.0)

        ended(attempt(run))
        reports, trained, _ = attempt(lambda trial: trial.report(step=3, loss=1.0)).collect()
        assert [each.step for each in reports] == [1, 2, 3]
        assert 0.3 <= reports[1].train_s <= reports[2].train_s <= trained < 0.6
