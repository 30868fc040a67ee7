"""Turns errors in a worker into a Failure: a message, a traceback of the user's own lines, a fingerprint."""

from __future__ import annotations

import json
import re
import signal
import sysconfig
import threading
import traceback
from itertools import dropwhile
from pathlib import Path
from types import FrameType

from cluster.ray_private import wording
from orchestrator.core.rows import GPU_OUT_OF_MEMORY, Failure
from orchestrator.own_packages import ROOT
from orchestrator.worker.log_capture import heading
from trainables.command.failure import ProgramFailed

WORKER_DIED = "WorkerDied"
NODE_LOST = "NodeLost"

MAX_MESSAGE = 2_000  # characters
MAX_TRACEBACK = 20_000
MAX_LINE = 80

_OURS = tuple(
    str(ROOT / name)
    for name in (
        "orchestrator",
        "trainables/command",
        "trainables/contract.py",
        "trainables/trial.py",
        "trainables/checkpoints/saving.py",
        "trainables/checkpoints/snapshot.py",
    )
)

_NOT_WRITTEN = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
"""Where code lies that the user has not written."""

_DUMP = re.compile(r"^Timeout \([\d:.]+\)!\n((?:(?:T|Current t)hread 0x.*\n|  .*\n|\n)+)\Z", re.MULTILINE)
"""The stacks of all threads as ``faulthandler`` writes them when its timer ends a process, at the end of a log."""
_FRAME = re.compile(r"""^  File "(.*)", line (\d+) in (.*)$""", re.MULTILINE)
MAX_DUMP = 500_000

_LEFT = "gpu_memory_left"
"""The key of the JSON message of a process that ends because of GPU memory; Ray passes on only the error's text."""

_GPU_MEMORY = re.compile(
    r"(?:CUDA|HIP|MPS backend)[^\n]{0,40}out of memory"  # torch's allocators, and the driver through torch
    r"|CU(?:BLAS|DNN|SOLVER|SPARSE)_STATUS_ALLOC_FAILED"
    r"|RESOURCE_EXHAUSTED: Out of memory|OOM when allocating tensor"  # jax; TensorFlow
)


def describe(error: BaseException) -> Failure:
    """The failure of a trial whose code raised an exception."""
    if isinstance(error, ProgramFailed):
        return _of_program(error)
    message = _message(error)
    if isinstance(error, SystemExit):
        message = f"the trainable called sys.exit({message}); return to end a trial"
    elif isinstance(error, KeyError):
        message = f"no key {message}"
    frames = _users_frames(traceback.extract_tb(error.__traceback__))
    text = "".join(traceback.format_list(frames) + traceback.format_exception_only(error))
    written = [f for f in frames if "site-packages" not in f.filename] or frames  # by the user
    place = f"{Path(written[-1].filename).name}:{written[-1].lineno}" if written else "?"
    kind = GPU_OUT_OF_MEMORY if _gpu_out_of_memory(error) else type(error).__name__
    return Failure(
        type=kind,
        message=message[:MAX_MESSAGE] or "no message",
        traceback=text[-MAX_TRACEBACK:],
        fingerprint=f"{kind} at {place}",
    )


def logged(error: BaseException) -> str:
    """What the log of the trial says: the traceback; of a program, which has printed its own, only how it ended."""
    return f"{error}\n" if isinstance(error, ProgramFailed) else "".join(traceback.format_exception(error))


def _of_program(error: ProgramFailed) -> Failure:
    """The failure of a program: what its last lines say, and all of them in place of a traceback.

    What people read has the type before the message, so the message does not begin with it once more.
    """
    kind = GPU_OUT_OF_MEMORY if _GPU_MEMORY.search(error.output) else error.kind
    return Failure(
        type=kind,
        message=str(error).removeprefix(f"{error.kind}: ")[:MAX_MESSAGE],
        traceback=error.output[-MAX_TRACEBACK:],
        fingerprint=f"{kind}: the program {error.how}",
    )


def _message(error: BaseException) -> str:
    try:
        return repr(error.code) if isinstance(error, SystemExit) else str(error)
    except Exception as broken:  # whatever the error's own __str__ raises
        return f"its message cannot be shown: {type(broken).__name__} in {type(error).__name__}.__str__"


def _gpu_out_of_memory(error: BaseException) -> bool:
    """Whether GPU memory ran out, by name and message: torch is not imported here, and other libraries raise their own
    errors."""
    named = [cls for cls in type(error).__mro__ if cls.__name__ == "OutOfMemoryError" and cls.__module__ == "torch"]
    return bool(named) or _GPU_MEMORY.search(_message(error)) is not None


def stack_of(frame: FrameType | None) -> str:
    """The user's part of the stack of a thread, given its innermost frame; "" for None."""
    return "".join(traceback.format_list(_users_frames(traceback.extract_stack(frame)))) if frame is not None else ""


def innermost(frame: FrameType | None) -> str:
    """The line of the user's code where a thread is, given its innermost frame: ``train.py:12 in train: f(x)``."""
    frames = _users_frames(traceback.extract_stack(frame)) if frame is not None else []
    written = [each for each in frames if not each.filename.startswith(_NOT_WRITTEN)] or frames
    if not written:
        return ""
    last = written[-1]
    code = f": {last.line[:MAX_LINE]}" if last.line else ""
    return f"{Path(last.filename).name}:{last.lineno} in {last.name}{code}"


def _users_frames(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The frames of the user's code, without ours and those that start a thread."""
    not_ours = [frame for frame in frames if not frame.filename.startswith(_OURS)]
    return list(dropwhile(lambda frame: frame.filename == threading.__file__, not_ours))


def timed_out(limit: float, stack: str) -> Failure:
    """The failure of a trial that has not reported for too long."""
    return Failure(
        type="Timeout",
        message=f"no report for {limit:g} s (trial.timeout); its log shows where it was",
        traceback=stack[-MAX_TRACEBACK:],
        fingerprint="Timeout",
    )


def worker_died(text: str, log: Path, limit: float | None) -> Failure:
    """The failure of a trial whose worker process ended: by os._exit, a signal, or the out-of-memory killer.

    If our watchdog ended the process, because the trial blocked the interpreter, the failure is a timeout.

    Args:
        text: Ray's error.
        log: The trial's log, whose end often shows the cause.
        limit: trial.timeout.
    """
    if (timeout := _timeout_in(log, limit)) is not None:
        return timeout
    if wording.worker_never_ready(text):
        cause = text.strip().rpartition("\n")[2]
        return Failure(
            type="WorkerNotReady",
            message=cause[:MAX_MESSAGE],
            traceback=text[-MAX_TRACEBACK:],
            fingerprint=cause,
        )
    memory = wording.low_on_memory(text)
    how = "because the node ran out of memory" if memory else "by os._exit, a signal or a crash"
    advice = "; set resources.memory to what a trial needs" if memory else ""
    return Failure(
        type=WORKER_DIED,
        message=f"the worker process ended {how}{advice}{_last_line(log)}",
        traceback=text[-MAX_TRACEBACK:],
        fingerprint=f"WorkerDied {how}",
    )


def process_died(status: int, log: Path, limit: float | None) -> Failure:
    """The failure of a trial whose own process ended without a word.

    Args:
        status: The exit status of the process, or minus the signal that ended it.
        log: The trial's log, whose end often shows the cause.
        limit: trial.timeout.
    """
    if (timeout := _timeout_in(log, limit)) is not None:
        return timeout
    if status < 0:
        name = signal.Signals(-status).name
        how = f"was ended by {name}" + (", perhaps because memory ran out" if -status == signal.SIGKILL else "")
    else:
        how = f"ended with exit status {status}, without a return from the trainable"
    return Failure(
        type=WORKER_DIED,
        message=f"the trial's process {how}{_last_line(log)}",
        traceback="",
        fingerprint=f"WorkerDied {how}",
    )


def _timeout_in(log: Path, limit: float | None) -> Failure | None:
    """The failure if our watchdog has ended the process: it leaves all stacks at the end of the log."""
    dump = _DUMP.search(_tail(log, MAX_DUMP)) if limit is not None else None
    return timed_out(limit, _stack_in(dump.group(1))) if limit is not None and dump is not None else None


def _last_line(log: Path) -> str:
    last = _tail(log).strip().rpartition("\n")[2]
    return f"; last line of its log: {last[:200]}" if last else ""


def memory_left_message(left: str) -> str:
    """The message of the error with which a process ends, because its trial left GPU memory allocated.

    Args:
        left: How much memory, and what holds it.
    """
    return json.dumps({_LEFT: left})


def memory_left(text: str) -> str:
    """The note to record if Ray's error contains the message of :func:`memory_left_message`; else ""."""
    at = text.find(f'{{"{_LEFT}":')
    if at < 0:
        return ""
    message, _ = json.JSONDecoder().raw_decode(text[at:])
    return f"worker processes are replaced: {message[_LEFT]}"


def begun(log: Path, attempt: int) -> bool:
    """Whether an attempt whose worker has ended got as far as opening the trial's log."""
    return log.exists() if attempt == 1 else heading(attempt) in _tail(log, MAX_DUMP).splitlines()


def _stack_in(dump: str) -> str:
    """The trial's stack, out of the stacks of all threads, formatted like a traceback: the innermost frame last."""
    for thread in re.split(r"^(?:T|Current t)hread 0x.*$", dump, flags=re.MULTILINE):
        found = _FRAME.findall(thread)
        if any(file.endswith("worker/attempt.py") and function == "run" for file, _, function in found):
            frames = [traceback.FrameSummary(file, int(line), function) for file, line, function in reversed(found)]
            return "".join(traceback.format_list(_users_frames(frames)))
    return dump


def _tail(log: Path, size: int = 2_000) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
