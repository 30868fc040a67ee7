"""A user's terminal: the commands in a project directory, as processes that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil


def signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send each process a signal; one that has ended since it was found, as others died, needs none."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def name_of(process: psutil.Process) -> str:
    """Its name; "" if it has ended since it was found."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


class Terminal:
    """Commands in a directory; its sweep is called s."""

    def __init__(self, directory: Path, *, spec: str, train: str) -> None:
        self.directory = directory
        self.seconds_a_step = 0.1
        self.results = directory / "results" / "s"
        (directory / "spec.yaml").write_text(spec)
        (directory / "train.py").write_text(train)
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In a process group of its own, as a shell does."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.directory,
            env=os.environ | {"SECONDS_A_STEP": str(self.seconds_a_step)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        out, _ = process.communicate(timeout=200)
        return process.returncode, out

    def kill_driver(self, driver: subprocess.Popen[str]) -> None:
        """Kill a driver, and wait until what it had started has ended, too."""
        family = psutil.Process(driver.pid).children(recursive=True)
        os.kill(driver.pid, signal.SIGKILL)
        driver.communicate(timeout=60)
        psutil.wait_procs(family, timeout=30)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=30)
            if process.stdout is not None and not process.stdout.closed:
                process.stdout.close()

    def trials(self) -> pd.DataFrame:
        return pd.read_parquet(self.results / "trials.parquet")

    def metrics(self) -> pd.DataFrame:
        return pd.read_parquet(self.results / "metrics")

    def events(self) -> pd.DataFrame:
        return pd.read_parquet(self.results / "events")

    def rows(self) -> int:
        """How many reports are recorded."""
        try:
            return len(self.metrics())
        except FileNotFoundError:
            return 0

    def wait_for(self, done: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while process.poll() is None and not done():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)
