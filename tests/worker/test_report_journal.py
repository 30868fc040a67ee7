"""The journal of a trial's reports: whatever happens to the process, its beginning is readable, and nothing else."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.worker import report_journal
from orchestrator.worker.report_journal import EVERY_S, ReportJournal, remove, set_aside, unrecorded
from trainables.report import Report

Make = Callable[..., ReportJournal]


def report(step: int, loss: float = 0.5) -> Report:
    return Report(step=step, metrics={"loss": loss}, reported_at=1e9 + step, train_s=step / 3)


def steps(path: Path, recorded: int = -1) -> list[int]:
    return [each.step for each in unrecorded(path, recorded)]


@contextmanager
def opened(path: Path, *, recorded: int | None = None, collected_at: float = 0.0) -> Iterator[ReportJournal]:
    journal = ReportJournal(path, recorded=recorded, collected_at=lambda: collected_at)
    yield journal
    journal.close()


def kill(journal: ReportJournal) -> None:
    """As if the process were killed: nothing more is written."""
    with journal._lock:
        journal._unwritten.clear()
    journal.close()


# ------------------------------------------------------------------------------------------------ what is in it


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
MICROSECONDS = st.integers(0, 2 * 10**15)


@given(
    st.dictionaries(
        st.integers(0, 2**60), st.tuples(MICROSECONDS, MICROSECONDS, st.dictionaries(st.text(), NUMBERS)), max_size=5
    )
)
@settings(max_examples=50)
def test_reports_are_read_as_they_were_made(made: dict[int, tuple[int, int, dict[str, float]]]) -> None:
    reports = [
        Report(step=step, train_s=train_us / 1e6, reported_at=reported_us / 1e6, metrics=metrics)
        for step, (train_us, reported_us, metrics) in sorted(made.items())
    ]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journals" / "7.jsonl"
        with opened(path) as journal:
            for each in reports:
                journal.append(each, time.monotonic())
        read = unrecorded(path, -1)
        assert repr(read) == repr(reports)  # repr: NaN is not equal to itself


@given(st.lists(st.sampled_from(["append", "slow append", "flush", "sync", "new attempt"]), max_size=30), st.data())
@settings(max_examples=60, deadline=None)
def test_a_killed_process_leaves_a_beginning_of_its_reports(actions: list[str], data: st.DataObject) -> None:
    """And all that it had flushed. A line that is cut off anywhere changes nothing before or after it."""
    made, safe, step, now = [], 0, 0, 1000.0
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        path = Path(directory) / "7.jsonl"
        patch.setattr(report_journal, "EVERY_S", 3600.0)
        patch.setattr(report_journal.time, "monotonic", lambda: now)
        journal = ReportJournal(path, recorded=None, collected_at=lambda: 0.0)
        for action in actions:
            if action == "new attempt":
                journal.close()
                journal = ReportJournal(path, recorded=None, collected_at=lambda: 0.0)
                assert [each.step for each in journal.unrecorded()] == made
            elif action == "flush":
                journal.flush()
            elif action == "sync":
                journal.sync()
            else:
                step += 1
                now += 3601.0 if action == "slow append" else 0.001
                made.append(step)
                journal.append(report(step), now)
            if action not in ("append", "slow append") or not journal._unwritten:
                safe = len(made)
        kill(journal)
        read = steps(path)
        assert read == made[: len(read)]
        assert len(read) >= safe
        if path.exists():
            whole = path.read_bytes()
            path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
            cut = steps(path)
            assert cut == made[: len(cut)]
            with opened(path) as again:
                again.unrecorded()
                again.append(report(10**6), now)
            assert steps(path) == [*cut, 10**6]


def test_reports_of_one_step_are_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "7.jsonl"

    def part(step: int, **metrics: float) -> Report:
        return Report(step=step, metrics=metrics, reported_at=0.0, train_s=0.0)

    with opened(path) as journal:
        for step in (1, 2):
            journal.append(part(step, train=1.0), time.monotonic())
            journal.append(part(step, loss=2.0, train=9.0), time.monotonic())
        journal.append(part(3, train=1.0), time.monotonic())
    whole = {"train": 1.0, "loss": 2.0}
    assert unrecorded(path, -1) == [part(1, **whole), part(2, **whole), part(3, train=1.0)]
    assert unrecorded(path, 2) == [part(2, **whole), part(3, train=1.0)], "perhaps only a part of step 2 is recorded"
    assert unrecorded(path, 3) == []
    with opened(path, recorded=3) as again:
        again.unrecorded()
        for step in (2, 3):
            again.append(part(step, loss=5.0), time.monotonic())  # repeated
        again.append(part(4, train=1.0), time.monotonic())
    assert unrecorded(path, -1)[1:] == [part(2, **whole), part(3, train=1.0), part(4, train=1.0)]


def test_truncated_at_every_byte_it_is_a_beginning(tmp_path: Path) -> None:
    path = tmp_path / "7.jsonl"
    with opened(path) as journal:
        for step in (1, 20, 300):
            journal.append(report(step, math.nan), time.monotonic())
            journal.flush()
    whole = path.read_bytes()
    found = []
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        found.append(steps(path))
    assert sorted(found) == found
    assert {tuple(each) for each in found} == {(), (1,), (1, 20), (1, 20, 300)}


def test_repeated_steps_are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "7.jsonl"
    with opened(path) as journal:
        for step in (1, 2, 3):
            journal.append(report(step), time.monotonic())
    with opened(path, recorded=1) as again:
        assert [each.step for each in again.unrecorded()] == [2, 3]
        for step in (1, 2, 3, 4):
            again.append(report(step, 9.0), time.monotonic())
    assert [(each.step, each.metrics["loss"]) for each in unrecorded(path, -1)] == [
        (1, 0.5),
        (2, 0.5),
        (3, 0.5),
        (4, 9),
    ]
    assert steps(path, 2) == [3, 4]


def test_where_no_journal_is_nothing_is_sent(tmp_path: Path) -> None:
    with opened(tmp_path / "journals" / "7.jsonl", recorded=5) as journal:
        assert journal.unrecorded() == []
    assert not (tmp_path / "journals").exists()


# ------------------------------------------------------------------------------------------------ when it is written


def test_slow_reports_are_written_at_once_and_quick_ones_in_time(tmp_path: Path) -> None:
    path = tmp_path / "7.jsonl"
    with opened(path) as journal:
        journal.append(report(1), time.monotonic())
        assert steps(path) == [1]
        for step in range(2, 2000):
            journal.append(report(step), time.monotonic())
        time.sleep(4 * EVERY_S)
        assert steps(path) == list(range(1, 2000)), "although no further report comes"
        assert path.read_bytes().count(b"\n") < 100, "not one by one"
        journal.append(report(2000), time.monotonic())
        assert steps(path)[-1] == 2000


def test_a_killed_process_has_written_all_but_the_last_moment(tmp_path: Path) -> None:
    script = """
        import sys, time
        from pathlib import Path
        from orchestrator.worker.report_journal import ReportJournal
        from trainables.report import Report

        journal = ReportJournal(Path(sys.argv[1]), recorded=None, collected_at=lambda: 0.0)
        for step in range(1, 4):
            journal.append(Report(step=step, metrics={"loss": 1.0}, reported_at=0.0, train_s=0.0), time.monotonic())
        print("reported", flush=True)
        time.sleep(600)
    """
    path = tmp_path / "7.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reported\n"
        time.sleep(10 * EVERY_S)
        process.kill()
    assert steps(path) == [1, 2, 3]


# ------------------------------------------------------------------------------------------------ its size


def test_only_what_is_surely_recorded_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = tmp_path / "7.jsonl", 100.0
    monkeypatch.setattr(report_journal, "FULL", 2000)
    monkeypatch.setattr(report_journal.time, "monotonic", lambda: now)
    largest = 0
    journal = ReportJournal(path, recorded=None, collected_at=lambda: now)
    for step in range(1, 3001):
        now += 0.1
        journal.append(report(step), now)
        largest = max(largest, sum(each.stat().st_size for each in tmp_path.iterdir()))
        if step % 50 == 0:
            kept = steps(path)
            assert kept == list(range(kept[0], step + 1))
            assert kept[0] <= max(1, step - 600), "made less than 60 s ago"
    assert largest < 60 * 1500, "about twice what comes in 60 s"
    journal.close()
    assert set_aside(path).exists()
    remove(path)
    assert not list(tmp_path.iterdir())
    remove(path)


def test_while_the_driver_does_not_collect_nothing_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = tmp_path / "7.jsonl", 100.0
    monkeypatch.setattr(report_journal, "FULL", 2000)
    monkeypatch.setattr(report_journal.time, "monotonic", lambda: now)
    with opened(path, collected_at=100.0) as journal:
        for step in range(1, 2001):
            now += 1.0
            journal.append(report(step), now)
    assert steps(path) == list(range(1, 2001))


# ------------------------------------------------------------------------------------------------ a bad disk


def test_a_full_disk_costs_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path, real, room = tmp_path / "7.jsonl", os.write, 100

    def write(file: int, data: memoryview) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(file, data[:room])
        room -= written
        return written

    monkeypatch.setattr(report_journal.os, "write", write)
    with opened(path) as journal:
        for step in range(1, 101):
            journal.append(report(step), time.monotonic())
            journal.flush()
        with pytest.raises(OSError, match="No space left"):
            journal.sync()
        read = steps(path)
        assert read == list(range(1, len(read) + 1))
        assert len(read) < 5
        room = 10**6
        journal.append(report(101), time.monotonic())
        journal.flush()
        assert steps(path) == list(range(1, 102))
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "7.jsonl cannot be written: No space left on device" in said


def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "7.jsonl").mkdir()
    with opened(tmp_path / "7.jsonl") as journal:
        assert journal.unrecorded() == []
    assert "7.jsonl cannot be read: Is a directory" in capfd.readouterr().err


def test_after_its_end_it_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "7.jsonl"
    with opened(path) as journal:
        journal.append(report(1), time.monotonic())
    journal.append(report(2), time.monotonic())
    journal.sync()
    assert steps(path) == [1]
