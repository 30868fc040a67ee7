"""Why a program failed: its exit status or signal, and what the end of its output says about the cause."""

from __future__ import annotations

import re
import signal
import time

LONGEST = 20_000
"""Characters of output in which the cause is looked for."""

_ERROR = re.compile(
    r"^((?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Interrupt|Warning|Exit)))(?:: (.*))?$", re.MULTILINE
)
"""The last line of a traceback of Python."""
_RANK = re.compile(r"^\[rank\d+\]: ?", re.MULTILINE)
"""What torch.distributed puts before each line of a traceback."""


class ProgramFailed(RuntimeError):
    """A training program ended with an error.

    Attributes:
        kind: The type of the error in its traceback if it is written in Python, else ``ExitStatus`` or ``Signal``.
        how: The exit status or the signal, in words.
        output: The end of what it printed.
        at: When it ended, as seconds since the epoch.
        wordless: Whether it ended without an exception that it had printed, as a program does that is killed. One that
            aborts itself (SIGABRT) has one, whatever its form: torch does so where a peer is gone.
    """

    def __init__(self, status: int, output: str, *, ended: str = "", at: float | None = None) -> None:
        """Say how it ended.

        Args:
            status: The exit status, or minus the signal.
            output: What it printed, or the end of that.
            ended: What is wrong with how it ended, if that is not its status.
            at: When it ended; None: now.
        """
        self.at = time.time() if at is None else at
        self.output = _RANK.sub("", output[-LONGEST:].rstrip())
        self.how = ended or _how(status)
        error = _last_error(self.output) if status > 0 else None
        self.kind = error[2] if error else "Signal" if status < 0 else "ExitStatus" if status else "NoMetrics"
        self.wordless = status != 0 and error is None and signal.SIGABRT not in (-status, status - 128)
        last = error[0] if error else self.output.rpartition("\n")[2].strip()
        super().__init__(f"{last[:500]} ({self.how})" if error else f"the program {self.how}{_last_line(last)}")


class ProgramDiverged(ProgramFailed, FloatingPointError):
    """It ended with an OverflowError or a FloatingPointError of Python, which is an outcome, as it is of a function."""


def failed(status: int, output: str, *, ended: str = "", at: float | None = None) -> ProgramFailed:
    """The error of a program that has ended; arguments as of :class:`ProgramFailed`."""
    error = ProgramFailed(status, output, ended=ended, at=at)
    if error.kind in ("OverflowError", "FloatingPointError"):
        return ProgramDiverged(status, output, ended=ended, at=at)
    return error


def _how(status: int) -> str:
    """``exit status 3``, ``ended by SIGKILL``."""
    if status < 0:
        return f"was ended by {_name(-status)}{_perhaps(-status)}"
    if status > 128 and _name(status - 128).startswith("SIG"):  # as a shell says that its command was
        return f"ended with exit status {status}, as of a command that was ended by {_name(status - 128)}" + _perhaps(
            status - 128
        )
    return f"ended with exit status {status}"


def _perhaps(number: int) -> str:
    return ", perhaps because memory ran out" if number == signal.SIGKILL else ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_error(output: str) -> re.Match[str] | None:
    if "Traceback (most recent call last)" not in output:
        return None
    return next(reversed(list(_ERROR.finditer(output))), None)


def _last_line(last: str) -> str:
    return f"; its last line: {last[:200]}" if last else ", and printed nothing"
