"""`sweep launch` on a small disk of its own, which is full for a while, or cannot be written at all."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
TRIALS, STEPS = 6, 40
HELD_S = 10.0
"""For so long reports are collected though nobody asks for them (tune/attempt.py)."""
READ_ONLY = """
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
end = time.monotonic() + 60
while libc.mount(b"none", sys.argv[1].encode(), b"tmpfs", 32 | 1, None):  # MS_REMOUNT | MS_RDONLY
    assert time.monotonic() < end, "a file was open for writing all the time"
    time.sleep(0.0005)
"""
"""Makes the disk read-only as soon as no file on it is open for writing, which is so between two trials."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run([*ROOT, "mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "sweep-test", str(small)], check=True)
    try:
        yield small
    finally:
        subprocess.run([*ROOT, "umount", "-l", str(small)], check=True)


class Launch:
    """A running `sweep launch`, and what it says."""

    def __init__(self, directory: Path) -> None:
        (directory / "train.py").write_text(
            textwrap.dedent(
                f"""
                import time

                def train(config, trial):
                    for step in range(1, {STEPS + 1}):
                        time.sleep(0.05)
                        print("step", step)
                        trial.report(step=step, loss=config["x"] / step)
                """
            )
        )
        (directory / "s.yaml").write_text(
            textwrap.dedent(
                f"""
                name: s
                trainable: train.py:train
                space: {{x: {{uniform: [0, 1]}}}}
                objective: {{metric: loss}}
                search: {{method: random}}
                scheduler: {{method: none}}
                budget: {{trials: {TRIALS}}}
                resources: {{gpu: 0}}
                """
            )
        )
        self.root = directory / "small" / "s"
        command = [sys.executable, "-m", "orchestrator", "launch", "s.yaml", "--cpus", "1", "--results", "small"]
        self.process = subprocess.Popen(
            command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip())

    def wait_for(self, what: str, seconds: float = 60) -> str:
        while not self.said or what not in self.said[-1]:
            try:
                self.said.append(self._lines.get(timeout=seconds))
            except queue.Empty:
                pytest.fail(f"never said {what!r}, but:\n" + "\n".join(self.said))
        return self.said[-1]

    def end(self) -> int:
        code = self.process.wait(timeout=100)
        self._reader.join()
        self.said += list(self._lines.queue)
        return code

    def check_whole(self) -> pd.DataFrame:
        trials, metrics, events = (
            pd.read_parquet(self.root / name) for name in ("trials.parquet", "metrics", "events")
        )
        assert trials["state"].tolist() == ["completed"] * TRIALS
        assert sorted(zip(metrics["trial"], metrics["step"], strict=True)) == [
            (trial, step) for trial in range(TRIALS) for step in range(1, STEPS + 1)
        ]
        assert sorted(events.loc[events["event"] == "completed", "trial"]) == list(range(TRIALS))
        return metrics


@pytest.fixture
def launch(disk: Path, tmp_path: Path) -> Iterator[Launch]:
    running = Launch(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.end()


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_a_full_disk_is_waited_for(launch: Launch, disk: Path) -> None:
    launch.wait_for("trial 0    completed")
    filler = fill(disk)
    line = launch.wait_for("waiting for the records: ", 10)
    assert "small/s/" in line  # whichever file is written first: a log, or the lease
    assert line.endswith(": No space left on device; trials wait at their next report")
    began = time.time()
    time.sleep(HELD_S + 5)
    filler.unlink()
    ended = time.time()
    launch.wait_for("the records are written again, after 1", 10)
    assert launch.end() == 0, "\n".join(launch.said)
    assert sum("waiting for the records: " in line for line in launch.said) == 1
    metrics = launch.check_whole()
    reported = metrics["reported_at"].map(lambda at: at.timestamp())
    assert not reported.between(began + HELD_S + 1, ended).any(), "a trial trained on"


def test_a_disk_that_becomes_read_only_is_waited_for(launch: Launch, disk: Path) -> None:
    launch.wait_for("trial 0    completed")
    subprocess.run([*ROOT, sys.executable, "-c", READ_ONLY, str(disk)], check=True)
    assert launch.wait_for("waiting for the records: ", 10).endswith(
        ": Read-only file system; trials wait at their next report"
    )
    time.sleep(3)
    subprocess.run([*ROOT, "mount", "-o", "remount,rw", str(disk)], check=True)
    launch.wait_for("the records are written again, after ", 10)
    assert launch.end() == 0, "\n".join(launch.said)
    launch.check_whole()


def test_ctrl_c_while_it_waits_says_what_is_lost(launch: Launch, disk: Path) -> None:
    launch.wait_for("trial 0    completed")
    fill(disk)
    launch.wait_for("waiting for the records: ", 10)
    time.sleep(2)
    launch.process.send_signal(2)
    assert launch.end() == 1
    assert launch.said[-1].startswith(
        "error: interrupted by SIGINT, and the last of the records cannot be written: cannot write small/s/"
    )
    assert "Traceback" not in "\n".join(launch.said)


def test_a_read_only_disk_is_refused_at_the_start(disk: Path, tmp_path: Path) -> None:
    subprocess.run([*ROOT, "mount", "-o", "remount,ro", str(disk)], check=True)
    launch = Launch(tmp_path)
    assert launch.end() == 1
    assert launch.said[-1].startswith("error: ")
    assert "Read-only file system" in launch.said[-1]
