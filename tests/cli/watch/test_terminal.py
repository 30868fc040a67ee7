"""`sweep watch` in a terminal, as a process of its own; tests/system/ looks at it with tmux."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.recorded import record

OWN_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes its standard input the terminal by which it is interrupted and hung up, and becomes the command.

Whoever started the tests with nohup ignores SIGHUP, and so would the command.
"""


class Terminal:
    """The command's terminal, seen from the other side; what it has drawn is in ``seen``, without colours."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.seen = ""
        self._ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.resize(24, 80)
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, sys.executable, "-m", "orchestrator", *arguments],
            cwd=directory,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "70", "LINES": "20"},  # which are not so
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """For the text to be drawn, after what has been waited for before."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"still no {text!r} in {self.seen[-3000:]!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                drawn = self.seen + os.read(self._ours, 1 << 16).decode(errors="replace")
                self.seen = re.sub(r"\x1b\[[\d;]*[mH]", "", drawn)
        self.seen = self.seen.partition(text)[2]

    def ends(self) -> None:
        """Check that the command leaves the terminal as it found it."""
        self.wait_for("\x1b[?1049l")
        assert self.process.wait(timeout=60) == 0
        assert termios.tcgetattr(self.theirs) == self.before
        assert "Traceback" not in self.seen

    def hang_up(self) -> None:
        os.close(self._ours)
        os.close(self.theirs)
        self._ours = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=30)
        if self._ours >= 0:
            self.hang_up()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    paths = record(tmp_path / "results")
    paths.log(3).parent.mkdir()
    paths.log(3).write_text("what trial 3 has printed\n")
    terminal = Terminal(tmp_path, "watch")
    yield terminal
    terminal.close()


def test_keys_size_and_the_end(terminal: Terminal) -> None:
    terminal.wait_for("\x1b[?1049h")  # another screen than the shell's
    terminal.wait_for("1/12 · running, then best")
    terminal.press("s\x1b[B")
    terminal.wait_for("2/12 · best")
    terminal.press("\x1b[A")
    terminal.wait_for("1/12")
    terminal.press("\r")
    terminal.wait_for("what trial 3 has printed")
    terminal.press("q")
    terminal.wait_for("1/12")
    terminal.resize(20, 160)
    terminal.wait_for("node  configuration")
    terminal.press("q")
    terminal.ends()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_in_order(terminal: Terminal, number: signal.Signals) -> None:
    terminal.wait_for("1/12")
    terminal.process.send_signal(number)
    terminal.ends()


def test_ctrl_c_leaves_in_order(terminal: Terminal) -> None:
    terminal.wait_for("1/12")
    terminal.press("\x03")
    terminal.ends()


def test_ctrl_z_gives_the_terminal_back_for_a_while(terminal: Terminal) -> None:
    terminal.wait_for("1/12")
    terminal.press("\x1a")
    terminal.wait_for("\x1b[?1049l")
    process = psutil.Process(terminal.process.pid)
    end = time.monotonic() + 30
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert termios.tcgetattr(terminal.theirs) == terminal.before
    process.send_signal(signal.SIGCONT)
    terminal.wait_for("\x1b[?1049h")
    terminal.wait_for("1/12")
    terminal.press("q")
    terminal.ends()


def test_a_terminal_that_is_gone_ends_it(terminal: Terminal) -> None:
    terminal.wait_for("1/12")
    terminal.hang_up()
    assert terminal.process.wait(timeout=60) != 0
