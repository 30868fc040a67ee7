"""Runs a command in this process, and judges how it ended."""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from orchestrator.cli import app
from orchestrator.errors import SweepError

PATIENCE_S = 60
"""Seconds after which a command counts as hanging."""

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_WARNING = re.compile(r"^.*\w+Warning: .*$", re.MULTILINE)


class Finding(Exception):
    """An input that does not end as it should.

    Attributes:
        cause: The same for inputs that fail in the same place.
    """

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(what)
        self.cause = cause


class Hangs(BaseException):
    """A command takes too long. Not an ``Exception``, so that nothing handles it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    words: Sequence[str]
    code: int
    out: str
    err: str


def command(*words: str, within_s: int = PATIENCE_S) -> Outcome:
    """Run ``sweep WORDS``, which may take so many seconds.

    Raises:
        Finding: It hangs, prints a traceback or a warning, or has an exit code that is not documented.
    """
    app.internal_error_text = lambda _: traceback.format_exc()  # type: ignore[attr-defined]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _redirected(out.fileno(), err.fileno()), _patience(within_s):
            try:
                code: Any = app.main(words)
            except BaseException as error:
                code = error
        said = [(file.seek(0), file.read().decode(errors="backslashreplace"))[1] for file in (out, err)]
    line = f"sweep {' '.join(words)}"
    if isinstance(code, BaseException):
        raise Finding(f"{line}: {''.join(traceback.format_exception(code))}", _place(code))
    if "Traceback (most recent call last)" in said[1]:
        raise Finding(
            f"{line}: {said[1]}", " ".join(_FRAME.findall(said[1].replace("\\n", "\n").replace('\\"', '"'))[-1])
        )
    if (warning := _WARNING.search(said[1])) is not None:
        raise Finding(f"{line}: {said[1]}", warning.group())
    if code not in (0, 1, 2):
        raise Finding(f"{line}: exit code {code}\n{said[1]}", f"exit code {code}")
    if code and not (said[0] + said[1]).strip():
        raise Finding(f"{line}: exit code {code}, and not a word", f"silent {code}")
    return Outcome(words=words, code=code, out=said[0], err=said[1])


def call(what: str, function: Callable[[], object]) -> None:
    """Call a function, which may raise any error that is foreseen.

    Raises:
        Finding: It hangs, or raises another error.
    """
    try:
        with _patience(PATIENCE_S):
            function()
    except SweepError:
        return
    except (Exception, Hangs) as error:
        raise Finding(f"{what}: {''.join(traceback.format_exception(error))}", _place(error)) from error


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}"


@contextmanager
def _redirected(out: int, err: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    os.dup2(out, 1)
    os.dup2(err, 2)
    try:
        with (
            os.fdopen(os.dup(out), "w", errors="backslashreplace") as own_out,
            os.fdopen(os.dup(err), "w", errors="backslashreplace") as own_err,
            redirect_stdout(own_out),
            redirect_stderr(own_err),
        ):
            yield
    finally:
        for descriptor, old in enumerate(kept, 1):
            os.dup2(old, descriptor)
            os.close(old)


@contextmanager
def _patience(seconds: int) -> Iterator[None]:
    """Limit the time; on a machine with more to do than it has cores for, to as many times as much."""
    seconds = math.ceil(seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))

    def late(*_: object) -> None:
        raise Hangs(f"no end after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
