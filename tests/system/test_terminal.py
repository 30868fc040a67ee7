"""In a real terminal, tmux's: the screen of `sweep launch`, what Ctrl-C leaves behind, and `sweep watch` beside it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.terminal import name_of

pytestmark = pytest.mark.system

MARK = "SWEEP_TEST_MARK"  # in the environment of all that a test starts, Ray's processes too
WIDTH, HEIGHT = 110, 40


class Terminal:
    """A tmux session of our own that runs one command in a directory."""

    def __init__(self, directory: Path, command: str) -> None:
        self.directory = directory
        self._mark = uuid.uuid4().hex
        self._socket = f"sweep-{self._mark}"
        self._seen: set[psutil.Process] = set()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        export = f"export PATH={shlex.quote(path)} {MARK}={self._mark}"
        script = f"trap : INT; {export}; {command}; echo $? > exit; sleep 600"
        size = ("-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(directory))
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, f"bash -c {shlex.quote(script)}")

    def close(self) -> None:
        self._tmux("kill-server")
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, what: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, f"still not so after {seconds:.0f} s; the screen:\n{self.screen()}"
            time.sleep(0.1)

    def exit_code(self, seconds: float) -> int:
        file = self.directory / "exit"
        self.wait_for(lambda: file.exists() and file.read_text().strip(), seconds)
        return int(file.read_text())

    def processes(self) -> set[psutil.Process]:
        """What the command has started and still runs, seen by the mark or, once it was, by its parent.

        Ray's workers write their names over their environment; the shell itself never had the mark.
        """
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark and process.name() != "sleep":
                    self._seen |= {process, *process.children(recursive=True)}
        self._seen = {process for process in self._seen if process.is_running()}
        return self._seen

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, check=True, timeout=20
        ).stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "train.py").write_text(
        textwrap.dedent(
            """
            import time

            def train(config, trial):
                for epoch in range(1, 31):
                    time.sleep(0.2)
                    trial.report(step=epoch, loss=config["x"] / epoch)
            """
        )
    )
    (tmp_path / "slow.yaml").write_text(
        textwrap.dedent(
            """
            name: slow
            trainable: train.py:train
            space: {x: {uniform: [0, 1]}}
            objective: {metric: loss}
            scheduler: {method: asha, max: 30}
            budget: {trials: 200}
            """
        )
    )
    terminal = Terminal(tmp_path, "sweep launch slow.yaml --cpus 2")
    yield terminal
    terminal.close()


def wait_for_results(terminal: Terminal) -> None:
    terminal.wait_for(lambda: "1 stopped" in terminal.screen(), 120)
    names = {name_of(process).partition(" ")[0] for process in terminal.processes()}
    assert {"sweep", "raylet", "gcs_server"} <= names, names
    assert any(name.startswith("ray::") for name in names), names


def read(directory: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    root = directory / "results" / "slow"
    return tuple(pd.read_parquet(root / name) for name in ("trials.parquet", "metrics", "events"))


def test_live_screen_and_one_ctrl_c(terminal: Terminal) -> None:
    wait_for_results(terminal)
    screen = terminal.screen()
    for part in ("slow", "/200", "trials a minute", "best loss", "rung", "node"):
        assert part in screen
    assert max(map(len, screen.splitlines())) <= WIDTH

    terminal.press("C-c")
    assert terminal.exit_code(30) == 130
    screen = terminal.screen()
    assert "interrupted by SIGINT" in screen
    assert "Traceback" not in screen

    trials, metrics, events = read(terminal.directory)
    assert set(trials["state"]) <= {"completed", "stopped", "cancelled"}
    assert (trials["state"] == "cancelled").any()
    assert trials["ended_at"].notna().all()
    reported = trials[trials["last_step"].notna()].set_index("trial")["last_step"]
    assert (metrics.groupby("trial")["step"].max() == reported).all()
    ended = events[events["event"].isin(["completed", "stopped", "cancelled"])]
    assert sorted(ended["trial"]) == sorted(trials["trial"])
    assert not (terminal.directory / "results" / "slow" / "lease.json").exists()
    terminal.wait_for(lambda: not terminal.processes(), 15)


def test_two_ctrl_c(terminal: Terminal) -> None:
    wait_for_results(terminal)
    terminal.press("C-c")
    terminal.press("C-c")
    assert terminal.exit_code(15) == 130
    assert "Traceback" not in terminal.screen()
    trials, metrics, events = read(terminal.directory)
    assert len(trials)
    assert len(metrics)
    assert len(events)
    terminal.wait_for(lambda: not terminal.processes(), 15)


def test_ctrl_c_while_ray_starts(terminal: Terminal) -> None:
    terminal.wait_for(lambda: "starting Ray" in terminal.screen(), 60)
    terminal.press("C-c")
    assert terminal.exit_code(60) == 130
    assert "Traceback" not in terminal.screen()
    terminal.wait_for(lambda: not terminal.processes(), 15)


def test_it_is_watched_from_another_terminal(terminal: Terminal, tmp_path: Path) -> None:
    wait_for_results(terminal)
    (tmp_path / "beside").mkdir()
    watching = Terminal(tmp_path / "beside", "sweep watch slow --results ../results")
    try:
        watching.wait_for(lambda: "a minute" in watching.screen() and "q quit" in watching.screen(), 60)
        first = watching.screen()
        for part in (
            "slow  running",
            "/200",
            "best loss",
            "curve",
            "went on",
            "node",
            "all states",
            "f state",
            "q quit",
        ):
            assert part in first
        assert (len(first.splitlines()), max(map(len, first.splitlines())) <= WIDTH) == (HEIGHT, True)
        watching.wait_for(lambda: watching.screen().splitlines()[-4:-1] != first.splitlines()[-4:-1], 30)  # the news
        watching.resize(80, 24)
        watching.wait_for(lambda: len(watching.screen().splitlines()) == 24 and "q quit" in watching.screen(), 30)
        assert max(map(len, watching.screen().splitlines())) <= 80
        watching.press("Enter")
        watching.wait_for(lambda: "log: nothing printed yet" in watching.screen(), 30)
        watching.press("q")
        watching.wait_for(lambda: "q quit" in watching.screen(), 30)
        terminal.press("C-c")
        watching.wait_for(lambda: "slow  halted" in watching.screen(), 60)
        watching.press("q")
        assert watching.exit_code(30) == 0
    finally:
        watching.close()
    assert terminal.exit_code(30) == 130
