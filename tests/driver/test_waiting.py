"""No wait is silent: what is said of trials that do not report, and of a sweep that is to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.core.sweep import Sweep
from orchestrator.driver import commands as commands_module
from orchestrator.driver.commands import Commands
from orchestrator.driver.observer import SILENT_TRIALS, STOPPING
from orchestrator.driver.signals import Signals
from orchestrator.driver.waiting import UNHEARD_S, Waiting
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import T0, spec
from trainables.report import Report

NODE = Node(id="n", name="here")


class Heard:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str | None]] = []

    def show(self, sweep: Sweep, now: float) -> None: ...

    def trouble(self, what: str, why: str | None) -> None:
        self.said.append((what, why))


@pytest.fixture
def sweep() -> Sweep:
    return build_sweep(spec(), None)


def report(sweep: Sweep, trial: int, at: float) -> None:
    made = Report(step=1, metrics={"loss": 1.0}, reported_at=at, train_s=1.0)
    sweep.on(events.Reported(trial=trial, at=at, reports=[made], node=NODE, gpu_ids=()))


def test_silent_trials_are_told_of_once_with_the_place_of_their_code(sweep: Sweep) -> None:
    observer = Heard()
    waiting = Waiting(sweep, observer)
    for number in (0, 1):
        sweep.ask(T0)
        sweep.on(events.Started(trial=number, at=T0))
    for second in range(1, 80):
        for number in (0, 1):
            silent = second >= 60 and number == 1
            place = "train.py:4 in train: pool.map(f, x)" if silent else ""
            waiting.heard(number, T0 + second, silent_s=second if silent else 0.0, place=place)
        waiting.look(T0 + second)
    said = "trial 1 has reported nothing for 1 min 00 s; it is at train.py:4 in train: pool.map(f, x)"
    assert observer.said == [(SILENT_TRIALS, said)]
    for number in (0, 1):
        waiting.heard(number, T0 + 80, silent_s=0.0, place="")
    waiting.look(T0 + 80)
    waiting.look(T0 + 90)
    assert observer.said[1:] == [(SILENT_TRIALS, None)]


def test_processes_that_do_not_start_or_answer_are_told_of(sweep: Sweep) -> None:
    observer = Heard()
    waiting = Waiting(sweep, observer)
    sweep.ask(T0)
    waiting.look(T0 + UNHEARD_S - 2)
    assert not observer.said
    waiting.look(T0 + UNHEARD_S)
    assert observer.said.pop() == (SILENT_TRIALS, "trial 0 has been starting for 1 min 00 s")
    sweep.on(events.Started(trial=0, at=T0 + 70))
    waiting.look(T0 + 75)
    assert observer.said.pop() == (SILENT_TRIALS, None)
    waiting.heard(0, T0 + 80, silent_s=0.0, place="")
    waiting.look(T0 + 80 + UNHEARD_S + 5)
    assert observer.said.pop() == (SILENT_TRIALS, "the process of trial 0 has not answered for 1 min 05 s")
    sweep.on(events.Finished(trial=0, at=T0 + 150, train_s=1.0))
    waiting.look(T0 + 150)
    assert not observer.said  # nothing is live: the line about its end says it


def test_a_sweep_that_is_to_stop_says_for_what_it_waits(sweep: Sweep) -> None:
    observer = Heard()
    waiting = Waiting(sweep, observer)
    waiting.stopping("stopped by SIGTERM", grace_s=5)
    assert not observer.said
    for number in range(3):
        sweep.ask(T0)
        sweep.on(events.Started(trial=number, at=T0))
    for _ in range(2):
        waiting.stopping("stopped by SIGTERM", grace_s=5)
    said = "stopped by SIGTERM; waiting for the next report of trials 0, 1 and 2, 5 s at most"
    assert observer.said == [(STOPPING, said)]
    waiting = Waiting(sweep, observer)
    waiting.stopping("stopped by sweep stop", grace_s=None)
    assert str(observer.said[-1][1]).endswith("as long as it takes; sweep stop --now ends them")


def test_a_signal_waits_for_reports_only_so_long(sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(commands_module.time, "monotonic", lambda: now)
    signals = Signals()
    commands = Commands(SweepPaths(tmp_path), signals, None, spec().parameter_space(), grace_s=3)
    signals.reason = "stopped by SIGTERM"
    assert commands.poll(T0) == [events.StopAfterNextReport(at=T0, reason="stopped by SIGTERM")]
    now = 102.9
    assert commands.poll(T0) == [events.StopAfterNextReport(at=T0, reason="stopped by SIGTERM")]
    now = 103.0
    assert commands.poll(T0) == [events.Halted(at=T0, reason="stopped by SIGTERM, without a report for 3 s")]
    assert commands.asked_to_end


@pytest.mark.parametrize(
    ("before", "sent", "said"),
    [
        ("", "SIGTERM", "stopped by SIGTERM"),
        ("", "SIGHUP", "stopped by SIGHUP"),
        ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", "SIGHUP", "None"),  # nohup
        ("", "SIGINT", "interrupted by SIGINT"),
    ],
)
def test_signals(before: str, sent: str, said: str) -> None:
    script = f"""
        import os, signal
        from orchestrator.driver.signals import Signals
        {before}
        with Signals() as signals:
            os.kill(os.getpid(), signal.{sent})
            print(signals.reason)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == said


def test_rays_own_handler_of_sigterm_ends_in_a_sentence() -> None:
    from orchestrator.errors import StoppedSweepError

    with pytest.raises(StoppedSweepError, match="stopped by SIGTERM while Ray was starting") as caught, Signals():
        sys.exit(signal.SIGTERM)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    with pytest.raises(SystemExit), Signals():
        sys.exit(3)
