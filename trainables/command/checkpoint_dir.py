"""The directory in which a program saves its checkpoints: copied at its reports, put back when the trial continues."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager

from trainables.contract import Trial

State = tuple[tuple[str, int, int], ...]
"""The path, size and time of change of each file."""


class CheckpointDir:
    """``{checkpoint_dir}``: the same path in every attempt at a trial, and gone when no attempt runs.

    What is in it when the program reports a step is the checkpoint of that step, so a program saves before it prints.
    The program stands still while its files are copied, so none of them is half written.

    Attributes:
        path: The directory.
        step: The step of the checkpoint that was put back; None if the trial starts from the beginning.
    """

    def __init__(self, trial: Trial) -> None:
        """Make the directory, with the last checkpoint in it if the trial continues."""
        self._trial = trial
        self.path = trial.directory.absolute() / "checkpoint"
        self.step: int | None = None
        self.close()  # what a killed attempt has left may be half written
        restored = trial.restore()
        if restored is not None and "path" in restored:
            self.step = restored["step"]
            shutil.copytree(restored["path"], self.path, symlinks=True)
        self.path.mkdir(exist_ok=True)
        self._saved = self._state()

    def save(self, step: int, paused: Callable[[], AbstractContextManager[None]]) -> str:
        """Copy what the program has saved since the last copy; returns why that cannot be done, or "".

        Args:
            step: The step of the checkpoint.
            paused: Halts the program.
        """
        if self._state() in ((), self._saved):
            return ""
        try:
            with paused():
                self._saved = self._state()
                self._trial.save(step=step, path=self.path)
        except (OSError, ValueError) as error:
            return f"the checkpoint of step {step} cannot be copied: {error}"
        return ""

    def close(self) -> None:
        """Remove the directory; the copies are kept as those of any trial."""
        shutil.rmtree(self.path, ignore_errors=True)

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
