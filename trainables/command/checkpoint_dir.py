"""The directory in which a program saves its checkpoints: copied at its reports, put back when the trial continues."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.command.process import Process
from trainables.trial import Trial

LOOK_S = 0.02
"""Seconds between two looks at whether the program still writes a file."""
UNCHANGED_S = 1.0
"""Seconds for which an open file does not change if it is not being written."""
WRITING_S = 30.0
"""Seconds that a checkpoint waits for files that grow all the time."""

State = tuple[tuple[str, int, int], ...]
"""The path, size and time of change of each file."""


def directory_in(trial: Path) -> Path:
    """The path of ``{checkpoint_dir}``, given the directory of the trial."""
    return trial.absolute() / "checkpoint"


def remove(directory: Path) -> None:
    """Remove a ``{checkpoint_dir}``, if it is there."""
    shutil.rmtree(directory, ignore_errors=True)


class CheckpointDir:
    """``{checkpoint_dir}``: the same path in every attempt at a trial, and gone when no attempt runs.

    What is in it when the program reports a step is the checkpoint of that step, so a program saves before it prints.
    The program stands still while its files are copied, and has none of them open then, so none is half written. It may
    have reported further steps by then, which are looked for while it stands still.
    All ranks of a trial have the same directory, which rank 0 makes and copies.

    Attributes:
        path: The directory.
        step: The step of the checkpoint that was put back; None if the trial starts from the beginning.
    """

    def __init__(self, trial: Trial) -> None:
        """Make the directory, with the last checkpoint in it if the trial continues."""
        self._trial = trial
        self.path = directory_in(trial.directory)
        restored = trial.restore()
        if restored is not None and "path" not in restored:
            restored = None
        self.step: int | None = None if restored is None else restored["step"]
        if trial.rank:
            return
        remove(self.path)  # what a killed attempt has left may be half written
        if restored is not None:
            shutil.copytree(restored["path"], self.path, symlinks=True)
        self.path.mkdir(exist_ok=True)
        self._saved = self._state()
        self._kept_open: set[str] = set()  # files that the program has open all the time, such as logs

    @contextmanager
    def to_be_copied(self, process: Process) -> Iterator[bool]:
        """Whether there is a checkpoint that is not copied yet; if so, the program stands still in the context."""
        if self._state() in ((), self._saved):
            yield False
        else:
            with self._all_written(process):
                yield True

    def copy(self, step: int) -> str:
        """Copy the checkpoint of a step, while the program stands still; returns why that cannot be done, or ""."""
        self._saved = self._state()
        try:
            self._trial.save(step=step, path=self.path)
        except (OSError, ValueError) as error:
            return f"the checkpoint of step {step} cannot be copied: {error}"
        return ""

    @contextmanager
    def _all_written(self, process: Process) -> Iterator[None]:
        """Halt the program where it writes none of the files; waits until there is such a moment.

        A file that is open for long, and does not change, is no checkpoint.
        """
        directory = self.path.resolve()
        states: dict[str, tuple[int, int]] = {}
        began = changed_at = time.monotonic()
        while True:
            with process.paused() as still:
                written = process.writes_in(directory)
                self._kept_open &= written
                open_now = written - self._kept_open
                now = time.monotonic()
                if now - changed_at > UNCHANGED_S or now - began > WRITING_S:
                    self._kept_open |= open_now
                    open_now = set()
                if (still or now - began > WRITING_S) and not open_now:
                    yield
                    return
            before, states = states, {path: _changed(path) for path in open_now}
            if states != before:
                changed_at = now
            time.sleep(LOOK_S)

    def close(self) -> None:
        """Remove the directory; the copies are kept as those of any trial. With several ranks, other ones may still
        write into it: who ends them removes it."""
        if self._trial.world_size == 1:
            remove(self.path)

    def _state(self) -> State:
        found = []
        for directory, _, names in os.walk(self.path):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    status = os.lstat(path)
                except FileNotFoundError:
                    continue
                found.append((path, status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))


def _changed(path: str) -> tuple[int, int]:
    """The size of a file and when it was last changed, in ns; zeros if it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
