"""What a launch shows while it runs: the progress, the piped lines, the live display."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.live.launch_screen import Screen, ScreenObserver
from orchestrator.cli.live.lines import LineObserver, line
from orchestrator.cli.live.progress import Progress
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.core.rows import GPU_OUT_OF_MEMORY, Failure, State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial_queue import wait_after
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import T0, attempt, spec
from trainables.report import Report


@pytest.fixture
def sweep() -> Sweep:
    return build_sweep(spec(), None)


def boom(trial: int, at: float) -> events.Failed:
    return events.Failed(trial=trial, at=at, failure=Failure(type="OSError", message="a\nb", fingerprint="x"))


class TestProgress:
    def test_nothing_yet(self, sweep: Sweep) -> None:
        progress = Progress(slots=lambda: 2)
        assert progress.look(sweep, T0) == []
        assert (progress.wall_s, progress.per_minute, progress.left_s, progress.overhead) == (0, 0, None, None)

    def test_every_change_is_told_once(self, sweep: Sweep) -> None:
        progress, told, at = Progress(slots=lambda: 1), [], T0
        while not sweep.finished:
            at = attempt(sweep, at)
            told += [(change.trial.number, change.kind) for change in progress.look(sweep, at)]
            told += [(change.trial.number, change.kind) for change in progress.look(sweep, at)]
        assert told == [(number, kind) for number in range(12) for kind in ("began", "ended")]
        assert progress.counts == {State.STOPPED: 8, State.DIVERGED: 2, State.FAILED: 2}
        assert (progress.ended, progress.total, progress.left_s, progress.running) == (12, 12, 0, [])
        assert progress.overhead == pytest.approx(1 - sum(trial.train_s for trial in sweep.trials) / (at - T0))

    def test_a_second_attempt_begins_again(self) -> None:
        sweep, progress = build_sweep(spec(trial={"retries": 1}), None), Progress(slots=lambda: 1)
        sweep.ask(T0)
        sweep.on(events.Started(trial=0, at=T0))
        sweep.on(boom(0, T0))
        assert progress.look(sweep, T0) == []
        later = T0 + wait_after(1)
        sweep.ask(later)
        sweep.on(events.Started(trial=0, at=later))
        (change,) = progress.look(sweep, later)
        assert line(change).endswith("trial 0    running    attempt 2 after OSError: a b")
        assert progress.look(sweep, T0) == []

    def test_what_a_resumed_sweep_had_done_is_counted_but_not_timed(self, sweep: Sweep) -> None:
        at = T0
        for _ in range(4):
            at = attempt(sweep, at)
        progress = Progress.of(sweep, slots=lambda: 1)
        later = at + 1000
        assert progress.look(sweep, later) == []
        assert progress.ended == 4
        assert (progress.per_minute, progress.trained_s, progress.wall_s) == (0, 0, 0)
        ended = attempt(sweep, later)
        assert [change.trial.number for change in progress.look(sweep, ended)] == [4, 4]
        assert progress.wall_s == ended - later
        assert progress.per_minute == pytest.approx(60 / (ended - later))

    def test_overhead_counts_the_slots_there_were(self, sweep: Sweep) -> None:
        slots, at = 1, T0
        progress = Progress(slots=lambda: slots)
        for _ in range(6):
            at = attempt(sweep, at)
            progress.look(sweep, at)
        first = at - T0
        slots = 3
        for _ in range(6):
            at = attempt(sweep, at)
            progress.look(sweep, at)
        assert progress.slots_s == pytest.approx(first + 3 * (at - T0 - first))
        assert progress.overhead == pytest.approx(1 - progress.trained_s / progress.slots_s)

    def test_there_is_no_overhead_before_a_trial_has_ended(self, sweep: Sweep) -> None:
        progress = Progress(slots=lambda: 1)
        sweep.ask(T0)
        sweep.on(events.Started(trial=0, at=T0))
        for later in (0, 2, 60):
            progress.look(sweep, T0 + later)
            assert progress.overhead is None
        sweep.on(events.Finished(trial=0, at=T0 + 60, train_s=45.0))
        progress.look(sweep, T0 + 60)
        assert progress.overhead == pytest.approx(0.25)

    def test_a_trial_that_never_began_only_ends(self, sweep: Sweep) -> None:
        progress = Progress(slots=lambda: 1)
        sweep.ask(T0)
        sweep.on(events.Halted(at=T0, reason="interrupted by SIGINT"))
        (change,) = progress.look(sweep, T0)
        assert (change.kind, change.trial.state) == ("ended", State.CANCELLED)
        assert progress.total == 1


class TestLines:
    def test_golden(self, sweep: Sweep, capfd: pytest.CaptureFixture[str]) -> None:
        lines, at = LineObserver(Progress(slots=lambda: 1)), T0
        for _ in range(4):
            at = attempt(sweep, at)
        lines.show(sweep, at)
        clocks, said = zip(*(line.split("  ", 1) for line in capfd.readouterr().out.splitlines()), strict=True)
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d", clock) for clock in clocks)
        assert said == (
            "trial 0    running    lr=0.03407 kind=bad sizes=[8]",
            "trial 0    failed     ValueError: no good in trial 0",
            "trial 1    running    lr=0.0002977 kind=bad sizes=[8, 16]",
            "trial 1    failed     ValueError: no good in trial 1",
            "trial 2    running    lr=2.768e-06 kind=wild sizes=[8, 16]",
            "trial 2    diverged   loss was nan at step 4",
            "trial 3    running    lr=1.879e-05 kind=good sizes=[8, 16]",
            "trial 3    stopped    1.00002 at rung 1, after enough others went on",
        )

    def test_a_note_is_told_once_and_a_larger_share_with_its_attempt(self, capfd: pytest.CaptureFixture[str]) -> None:
        sweep = build_sweep(spec(resources={"gpu": 0.25}), None, gpus_per_trial=0.25)
        lines = LineObserver(Progress(slots=lambda: 1))
        sweep.ask(T0)
        sweep.on(events.Started(trial=0, at=T0))
        failure = Failure(type=GPU_OUT_OF_MEMORY, message="CUDA out of memory", fingerprint="x")
        sweep.on(events.Failed(trial=0, at=T0, failure=failure))
        sweep.ask(T0)
        sweep.on(events.Started(trial=0, at=T0))
        sweep.on(events.Noted(at=T0, text="a node is set aside"))
        lines.show(sweep, T0)
        lines.show(sweep, T0)
        assert [line.split("  ", 1)[1] for line in capfd.readouterr().out.splitlines()] == [
            "a node is set aside",
            "trial 0    running    attempt 2 after GpuOutOfMemory: CUDA out of memory, with 0.5 of a GPU",
        ]


class TestScreen:
    def test_a_note_stays_above_the_display(self, sweep: Sweep, tmp_path: Path) -> None:
        screen, file = Screen(), io.StringIO()
        screen._live.console = Console(file=file, width=80)
        watching = ScreenObserver(screen, Progress(slots=lambda: 1), SweepPaths(tmp_path / "made-up"))
        sweep.on(events.Noted(at=T0, text="a node is set aside"))
        watching.show(sweep, T0)
        watching.show(sweep, T0)
        assert file.getvalue() == "a node is set aside\n"

    @pytest.mark.parametrize("width", [50, 80, 140])
    def test_one_display(self, sweep: Sweep, tmp_path: Path, width: int) -> None:
        screen, at = Screen(), T0
        screen._live.console = Console(file=io.StringIO(), width=width, height=30)
        watching = ScreenObserver(screen, Progress(slots=lambda: 5), SweepPaths(tmp_path / "made-up"))
        for _ in range(5):
            at = attempt(sweep, at)
        for number in range(5, 5 + 10):
            if sweep.ask(at) is not None:
                sweep.on(events.Started(trial=number, at=at))
        watching.show(sweep, at + 60)
        text = drawn(screen, width)
        assert text.startswith("made-up")
        assert "5/12" in text
        assert "about" in text
        assert "best loss 1 (trial 3, best step 1)" in text
        assert "rung  entered  went on" in text
        assert text.count("–  ") >= 7, "seven trials run and have not reported"
        assert all(len(row) <= width for row in text.splitlines())
        rows = [" ".join(row.split()) for row in text.splitlines()]
        for whole in ("1 diverged", "2 failed", "5/12", "lr=1.879e-05", "sizes=[8, 16]", "trials a minute"):
            assert any(whole in row for row in rows), whole

    def test_results_have_the_digits_that_tell_them_apart(self, sweep: Sweep, tmp_path: Path) -> None:
        screen, at = Screen(), T0
        watching = ScreenObserver(screen, Progress(slots=lambda: 5), SweepPaths(tmp_path / "made-up"))
        for _ in range(11):
            at = attempt(sweep, at)
        start = sweep.ask(at)
        assert start is not None
        sweep.on(events.Started(trial=start.trial, at=at))
        report = Report(step=1, train_s=1, reported_at=at, metrics={"loss": 1.0000123456})
        sweep.on(events.Reported(trial=start.trial, at=at, reports=[report], node=Node(id="1", name="here")))
        watching.show(sweep, at)
        text = drawn(screen, 80)
        assert "best loss 1.00001 (trial 11, best step 1)" in text
        assert "   11          1  1.00001" in text
        narrow = drawn(screen, 30)
        assert "seconds  node" in text
        assert "1.00001" in narrow
        assert "node" not in narrow

    def test_a_failure_is_told_at_once_and_one_of_a_kind(self, sweep: Sweep, tmp_path: Path) -> None:
        screen = Screen()
        file = io.StringIO()
        screen._live.console = Console(file=file, width=80)
        watching = ScreenObserver(screen, Progress(slots=lambda: 2), SweepPaths(tmp_path / "made-up"))
        for number in range(2):
            sweep.ask(T0)
            sweep.on(events.Started(trial=number, at=T0))
            sweep.on(boom(number, T0))
            watching.show(sweep, T0)
        assert file.getvalue() == "trial 0 failed: OSError: a b\n"

    def test_it_says_why_it_ends(self, sweep: Sweep, tmp_path: Path) -> None:
        screen = Screen()
        watching = ScreenObserver(screen, Progress(slots=lambda: 1), SweepPaths(tmp_path / "made-up"))
        attempt(sweep, T0)
        sweep.on(events.Halted(at=T0, reason="interrupted by SIGINT"))
        watching.show(sweep, T0 + 5)
        assert "ending: interrupted by SIGINT" in drawn(screen, 80)


def drawn(screen: Screen, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(screen._live.get_renderable())
    return file.getvalue()
