"""Turns what went wrong in a worker into a Failure: a sentence, a traceback of the user's own lines, a fingerprint."""

from __future__ import annotations

import traceback
from pathlib import Path

from orchestrator.names import ROOT
from orchestrator.rows import Failure

MAX_MESSAGE = 2_000  # characters
MAX_TRACEBACK = 20_000

_OURS = tuple(
    str(ROOT / name)
    for name in ("orchestrator", "trainables/contract.py", "trainables/saving.py", "trainables/snapshot.py")
)


def describe(error: BaseException) -> Failure:
    """An exception of the user's code."""
    message = str(error)
    if isinstance(error, SystemExit):
        message = f"the trainable called sys.exit({error.code!r}); return to end a trial"
    elif isinstance(error, KeyError):
        message = f"no key {message}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    text = "".join(traceback.format_list(frames) + traceback.format_exception_only(error))
    written = [f for f in frames if "site-packages" not in f.filename] or frames  # by the user
    place = f"{Path(written[-1].filename).name}:{written[-1].lineno}" if written else "?"
    return Failure(
        type=type(error).__name__,
        message=message[:MAX_MESSAGE] or "without a message",
        traceback=text[-MAX_TRACEBACK:],
        fingerprint=f"{type(error).__name__} at {place}",
    )


def timed_out(limit: float, stack: str) -> Failure:
    """A trial that has not reported for too long."""
    return Failure(
        type="Timeout",
        message=f"no report for {limit:g} s (trial.timeout); where it stood is in its log",
        traceback=stack[-MAX_TRACEBACK:],
        fingerprint="Timeout",
    )


def worker_died(text: str, log: Path) -> Failure:
    """The worker process ended under the trial, as os._exit, a signal or the out-of-memory killer does.

    Args:
        text: What Ray says of it.
        log: The trial's log, whose end often tells why.
    """
    last = _tail(log).strip().rpartition("\n")[2]
    if "creation task" in text:  # the worker could not be set up
        cause = text.strip().rpartition("\n")[2]
        return Failure(
            type="WorkerNotReady",
            message=cause[:MAX_MESSAGE],
            traceback=text[-MAX_TRACEBACK:],
            fingerprint=cause,
        )
    memory = "OutOfMemory" in text or "memory pressure" in text
    how = "because the node ran out of memory" if memory else "by os._exit, a signal or a crash"
    return Failure(
        type="WorkerDied",
        message=f"the worker process ended {how}" + (f"; the last line of its log: {last[:200]}" if last else ""),
        traceback=text[-MAX_TRACEBACK:],
        fingerprint=f"WorkerDied {how}",
    )


def _tail(log: Path, size: int = 2_000) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
