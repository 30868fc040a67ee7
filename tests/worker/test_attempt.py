"""One attempt in its thread, without Ray: when it waits, how it ends, what it leaves behind."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.spec import Objective
from orchestrator.worker import attempt as attempt_module
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.report_journal import unrecorded
from trainables.process.isolation import SharedProcess
from trainables.trial import Trial, TrialEnded


@pytest.fixture
def attempt(tmp_path: Path) -> Any:
    made: list[Attempt] = []

    def make(run: Callable[[Trial], object], *, rungs: tuple[int, ...] = (), **job: Any) -> Attempt:
        settings = {"heartbeat_s": 0.2, "objective": Objective(metric="loss"), "fixed": {"epochs": 3}} | job
        order = Start(trial=7, attempt=1, config={"x": 0.5}, seed=11, rungs=rungs)
        told = WorkerSettings(
            trainable="",
            base=str(tmp_path),
            logs=str(tmp_path),
            trials=str(tmp_path / "trials"),
            journals=str(tmp_path / "journals"),
            **settings,
        )
        made.append(Attempt(order, told, run, SharedProcess()))
        made[-1].start()
        return made[-1]

    yield make
    assert all(each.end() for each in made)


def finish(attempt: Attempt) -> tuple[list[int], Any]:
    steps = []
    while True:
        reports, _, ended = attempt.collect()
        steps += [report.step for report in reports]
        if ended is not None:
            return steps, ended


def test_a_trial_gets_its_configuration(attempt: Any, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def run(trial: Trial) -> None:
        seen.update(config=trial.config, number=trial.number, seed=trial.seed, directory=trial.directory)
        trial.report(step=1, loss=0.1)

    assert finish(attempt(run))[0] == [1]
    assert seen["config"] == {"epochs": 3, "x": 0.5}
    assert (seen["number"], seen["seed"], seen["directory"]) == (7, 11, tmp_path / "trials" / "7")
    assert seen["directory"].is_dir()


def test_reports_that_need_no_decision_do_not_wait(attempt: Any) -> None:
    reported = threading.Event()

    def run(trial: Trial) -> None:
        for step in range(1, 5001):
            trial.report(step=step, loss=1.0)
        reported.set()

    made = attempt(run)
    assert reported.wait(10)  # although nobody has collected anything
    assert finish(made)[0] == list(range(1, 5001))


def test_at_a_rung_a_trial_waits_until_the_driver_collects_again(attempt: Any) -> None:
    passed = threading.Event()

    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        trial.report(step=2, loss=1.0)
        passed.set()
        trial.report(step=3, loss=1.0)

    made = attempt(run, rungs=(2,))
    reports, _, ended = made.collect()
    assert [m.step for m in reports] == [1, 2]
    assert ended is None
    assert not passed.wait(0.1)
    assert finish(made)[0] == [3]
    assert passed.is_set()


def test_time_spent_waiting_is_not_training(attempt: Any) -> None:
    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        trial.report(step=2, loss=1.0)

    made = attempt(run, rungs=(1,))
    made.collect()
    time.sleep(0.5)
    _, train_s, _ = made.collect()
    assert train_s < 0.25


def test_a_report_beyond_several_rungs_waits_once(attempt: Any) -> None:
    def run(trial: Trial) -> None:
        trial.report(step=9, loss=1.0)
        trial.report(step=10, loss=1.0)

    made = attempt(run, rungs=(2, 6))
    assert [m.step for m in made.collect()[0]] == [9]
    assert finish(made)[0] == [10]


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e7])
def test_divergence_waits_for_a_decision(attempt: Any, value: float) -> None:
    went_on = threading.Event()

    def run(trial: Trial) -> None:
        trial.report(step=1, loss=value)
        went_on.set()

    made = attempt(run, objective=Objective(metric="loss", diverged_above=1e6))
    assert len(made.collect()[0]) == 1
    assert made.end()
    assert not went_on.is_set()


def test_a_trial_that_reaches_the_target_waits_for_a_decision(attempt: Any) -> None:
    def run(trial: Trial) -> None:
        for step in (1, 2, 3):
            trial.report(step=step, accuracy=step / 10)

    made = attempt(run, objective=Objective(metric="accuracy", mode="max"), target=0.2)
    assert [report.step for report in made.collect()[0]] == [1, 2]
    assert finish(made)[0] == [3]


def test_ending_runs_finally_and_is_not_caught_by_except_exception(attempt: Any) -> None:
    cleaned = threading.Event()

    def run(trial: Trial) -> None:
        try:
            for step in range(1, 1000):
                try:
                    trial.report(step=step, loss=1.0)
                except Exception:
                    pytest.fail("an end must not look like an error")
        finally:
            cleaned.set()

    made = attempt(run, rungs=(1,))
    made.collect()
    assert made.end()
    assert cleaned.is_set()


def test_a_busy_loop_is_ended(attempt: Any) -> None:
    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        while True:
            pass

    made = attempt(run)
    made.collect()
    assert made.end()


@pytest.mark.parametrize(
    ("error", "numerical"),
    [
        (ValueError("bad"), False),
        (OverflowError("big"), True),
        (FloatingPointError("nan"), True),
        (SystemExit(3), False),
    ],
)
def test_an_exception_is_reported_with_its_place(attempt: Any, error: BaseException, numerical: bool) -> None:
    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        raise error

    steps, ended = finish(attempt(run))
    assert steps == [1]
    assert ended.numerical is numerical
    assert ended.failure.type == type(error).__name__
    assert "test_attempt.py:" in ended.failure.fingerprint
    assert "raise error" in ended.failure.traceback
    assert "orchestrator" not in ended.failure.traceback


def test_a_silent_trial_times_out_with_its_place(attempt: Any) -> None:
    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        time.sleep(1.5)

    steps, ended = finish(attempt(run, timeout_s=0.5))
    assert steps == [1]
    assert ended.failure.type == "Timeout"
    assert "time.sleep(1.5)" in ended.failure.traceback


def test_output_goes_to_the_log_including_that_of_c_code(attempt: Any, tmp_path: Path) -> None:
    def run(trial: Trial) -> None:
        print("from python", flush=True)
        os.write(2, b"from a descriptor\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        trial.report(step=1, loss=1.0)

    finish(attempt(run))
    log = (tmp_path / "7.log").read_text()
    assert "from a descriptor\n" in log
    assert "from a child\n" in log


def test_a_silent_trial_leaves_no_log(attempt: Any, tmp_path: Path) -> None:
    finish(attempt(lambda trial: trial.report(step=1, loss=1.0)))
    assert not (tmp_path / "7.log").exists()


def test_the_process_is_restored_afterwards(attempt: Any, tmp_path: Path) -> None:
    before = os.getcwd()

    def run(trial: Trial) -> None:
        os.chdir(tmp_path)
        os.environ["LEFT_BEHIND"] = "1"
        raise TrialEnded

    made = attempt(run)
    assert made.end()
    assert os.getcwd() == before
    assert "LEFT_BEHIND" not in os.environ


def test_a_report_waits_if_the_driver_has_not_collected_for_long(attempt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.worker.handoff.UNCOLLECTED_S", 0.5)
    reached = 0

    def run(trial: Trial) -> None:
        nonlocal reached
        for step in range(1, 21):
            trial.report(step=step, loss=1.0)
            reached = step
            time.sleep(0.1)

    made = attempt(run, heartbeat_s=0.05, timeout_s=1.0)
    time.sleep(2.5)  # of which 2 in a report: no silence of the trial's
    assert 3 <= reached <= 7
    held = reached + 1
    reports, _, ended = made.collect()
    assert ([m.step for m in reports], ended) == ([*range(1, held + 1)], None)
    time.sleep(0.3)
    assert reached == held - 1, "not before the driver, which has it now, asks again"
    steps, last, ended = [], 0.0, None
    while ended is None:
        reports, _, ended = made.collect()
        steps += [m.step for m in reports]
        last = reports[-1].train_s if reports else last
    assert ended.failure is None
    assert steps == [*range(held + 1, 21)]
    assert last < 2.5, "waiting is not training"


@pytest.mark.parametrize("end", ["return", "force", "timeout"])
def test_child_processes_end_with_their_trial(attempt: Any, end: str) -> None:
    before = subprocess.Popen(["sleep", "60"])  # by the process, not by the trial
    started: list[subprocess.Popen[bytes]] = []

    def run(trial: Trial) -> None:
        started.append(subprocess.Popen(["sh", "-c", "sleep 61 & sleep 62"]))
        time.sleep(0.2)
        trial.report(step=1, loss=1.0)
        if end != "return":
            started[0].wait()
            trial.report(step=2, loss=1.0)

    made = attempt(run, timeout_s=0.6 if end == "timeout" else None)
    made.collect()
    if end != "force":
        finish(made)
    assert made.end()
    started[0].wait(timeout=5)
    alive = [child for child in psutil.process_iter() if child.is_running() and _command(child) == ["sleep", "61"]]
    assert alive == []
    assert before.poll() is None
    before.kill()
    before.wait()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("refused", ["opening", "writing"])
def test_a_log_that_cannot_be_written_does_not_fail_the_trial(attempt: Any, tmp_path: Path, refused: str) -> None:
    if refused == "opening":
        (tmp_path / "7.log").mkdir()
    else:
        (tmp_path / "7.log").symlink_to("/dev/full")

    def run(trial: Trial) -> None:
        print("a line", flush=True)
        print("a line", file=sys.stderr)
        trial.report(step=1, loss=1.0)

    steps, ended = finish(attempt(run))
    assert steps == [1]
    assert ended.failure is None


BROKEN_STREAMS = {
    "no flush": "type('Tee', (), {'write': lambda self, text: None})()",
    "no method at all": "object()",
    "nothing": "None",
    "a flush that raises": "type('Tee', (), {'write': lambda self, text: None, 'flush': lambda self: 1 / 0})()",
}


@pytest.mark.parametrize("broken", BROKEN_STREAMS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_trial_may_replace_its_streams_by_anything(attempt: Any, tmp_path: Path, broken: str, fails: bool) -> None:
    before = sys.stdout, sys.stderr

    def run(trial: Trial) -> None:
        print("first", end="")
        sys.stdout = sys.stderr = eval(BROKEN_STREAMS[broken])
        trial.report(step=1, loss=1.0)
        if fails:
            raise ValueError("no good")

    steps, ended = finish(attempt(run))
    assert steps == [1]
    assert (ended.failure and ended.failure.message) == ("no good" if fails else None)
    assert (sys.stdout, sys.stderr) == before
    log = (tmp_path / "7.log").read_text()
    assert log.startswith("first")
    assert ("ValueError: no good" in log) == fails


def test_reports_of_one_step_cross_as_one_or_one_after_the_other(attempt: Any, tmp_path: Path) -> None:
    go_on = threading.Event()

    def run(trial: Trial) -> None:
        for step in (1, 2):
            trial.report(step=step, train_loss=float(step))
            trial.report(step=step, loss=0.5)
        trial.report(step=3, train_loss=3.0)
        go_on.wait(10)
        trial.report(step=3, loss=0.5)

    made = attempt(run, rungs=(2,))
    seen = []
    while True:
        reports, _, ended = made.collect()
        seen += [(report.step, sorted(report.metrics)) for report in reports]
        if ended is not None:
            break
        if (3, ["train_loss"]) in seen:
            go_on.set()
    both = ["loss", "train_loss"]
    assert seen == [(1, both), (2, both), (3, ["train_loss"]), (3, ["loss"])]
    kept = unrecorded(tmp_path / "journals" / "7.jsonl", -1)
    assert [(report.step, sorted(report.metrics)) for report in kept] == [(1, both), (2, both), (3, both)]


def test_a_silent_trial_says_where_its_code_is(attempt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def run(trial: Trial) -> None:
        trial.report(step=1, loss=1.0)
        over.wait(20)

    running = attempt(run)
    update = running.update(node=Node(id="n", name="here"), gpu_ids=())
    assert (update.silent_s, update.place) == (0.0, "")
    monkeypatch.setattr(attempt_module, "SILENT_S", 0.2)  # only now: a busy machine can be slow until here
    while not update.silent_s:
        update = running.update(node=Node(id="n", name="here"), gpu_ids=())
    assert update.silent_s >= 0.2
    assert update.place.startswith("test_attempt.py:")
    assert update.place.endswith(" in run: over.wait(20)")
    over.set()
