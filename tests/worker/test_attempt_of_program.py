"""An attempt at a trial whose trainable is a program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.events import Start
from orchestrator.core.rows import GPU_OUT_OF_MEMORY
from orchestrator.spec import Objective
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.loading import runner
from orchestrator.worker.messages import AttemptEnd, WorkerSettings
from trainables.command.program import Program
from trainables.process.isolation import SharedProcess
from trainables.report import Report

Begin = Callable[..., Attempt]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Begin an attempt at a program of Python source."""

    def begin(code: str, **more: Any) -> Attempt:
        program = Program(text="test", arguments=(sys.executable, "-c", code), objective="loss", grace_s=5)
        settings = WorkerSettings(
            trainable=program,
            base=str(tmp_path),
            objective=Objective(metric="loss"),
            logs=str(tmp_path),
            trials=str(tmp_path / "trials"),
            journals=str(tmp_path / "journals"),
            heartbeat_s=0.2,
            grace_s=5,
            **more,
        )
        order = Start(trial=7, attempt=1, config={}, seed=1, rungs=())
        attempt = Attempt(order, settings, runner(program, settings), SharedProcess())
        attempt.start()
        return attempt

    return begin


def finished(attempt: Attempt) -> tuple[list[Report], AttemptEnd]:
    reports: list[Report] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        more, _, ended = attempt.collect()
        reports += more
        if ended is not None:
            return reports, ended
    raise TimeoutError


def test_a_silent_program_is_ended_and_no_line_of_ours_is_named(begin: Begin, tmp_path: Path) -> None:
    attempt = begin("import time; print('{\"loss\": 1}'); print('waits'); time.sleep(60)", timeout_s=1.5)
    reports, ended = finished(attempt)
    assert [each.step for each in reports] == [1]
    assert ended.failure is not None
    assert ended.failure.type == "Timeout"
    assert ended.failure.traceback == ""
    assert attempt.end()
    assert (tmp_path / "7.log").read_text() == '{"loss": 1}\nwaits\nno report for 1.5 s\n'


def test_a_program_that_is_ended_between_two_reports_may_save(begin: Begin, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def save(*_):\n"
        "    time.sleep(2.5); print('saved'); sys.exit()\n"  # longer than a function would be waited for
        "signal.signal(signal.SIGTERM, save)\n"
        "print('{\"loss\": 1}')\n"
        "time.sleep(60)"
    )
    attempt = begin(code)
    while not attempt.collect()[0]:
        pass
    assert attempt.end()
    assert (tmp_path / "7.log").read_text().endswith("saved\n")


@pytest.mark.parametrize(
    ("code", "kind", "fingerprint"),
    [
        ("raise KeyError('x')", "KeyError", "KeyError: the program ended with exit status 1"),
        ("print('RuntimeError: CUDA out of memory. Tried'); exit(1)", GPU_OUT_OF_MEMORY, GPU_OUT_OF_MEMORY),
        ("import os; os.abort()", "Signal", "Signal: the program was ended by SIGABRT"),
    ],
)
def test_how_it_failed_is_known(code: str, kind: str, fingerprint: str, begin: Begin) -> None:
    _, ended = finished(begin(code))
    assert ended.failure is not None
    assert ended.failure.type == kind
    assert ended.failure.fingerprint.startswith(fingerprint)
    assert ended.failed


def test_the_log_has_what_the_program_has_printed_and_how_it_ended(begin: Begin, tmp_path: Path) -> None:
    finished(begin("print('loads'); exit(3)"))
    assert (tmp_path / "7.log").read_text() == "loads\nthe program ended with exit status 3; its last line: loads\n"


def test_a_number_that_overflows_is_a_divergence(begin: Begin) -> None:
    _, ended = finished(begin("print('{\"loss\": 1}'); import math; math.exp(1000)"))
    assert ended.numerical
    assert ended.failure is not None
    assert ended.failure.message == "math range error (ended with exit status 1)"
