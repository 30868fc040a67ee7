"""Notices that the user edits the code of a sweep while it runs, and says once what that means."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.code.files import CodeFile
from orchestrator.code.syntax import same
from orchestrator.core import events
from orchestrator.formatting import listed

KEPT = "trials kept to the version it was started with"

LOOK_S = 1.0
"""Seconds between two looks at the files,"""
EACH_S = 0.02
"""and for each file as many more: on a shared disk, a look can take a millisecond a file."""


class CodeEdits:
    """Compares the files with what they were when the session began. The driver polls it."""

    def __init__(self, code: Iterable[CodeFile], *, program: bool = False) -> None:
        """Begin without looking.

        Args:
            code: The files.
            program: Whether they are a program's, which reads them itself: no version of them can be kept for it.
        """
        self._kept = "trials that start from now on run what is there" if program else KEPT
        self._files = {file.path: file for file in code if file.path is not None}
        self._looked: dict[Path, tuple[int, int] | None] = {}  # size and time of change, at the last look
        self._told = False
        self._next = 0.0

    def poll(self, at: float) -> list[events.Event]:
        """A note about the edited files, once."""
        if self._told or time.monotonic() < self._next:
            return []
        edited = sorted(self._edited())
        self._next = time.monotonic() + LOOK_S + EACH_S * len(self._files)
        if not edited:
            return []
        self._told = True
        was = "was" if len(edited) == 1 else "were"
        text = f"{listed(edited)} {was} edited while the sweep ran; {self._kept}"
        return [events.Noted(at=at, text=text)]

    def _edited(self) -> Iterator[str]:
        for path, file in self._files.items():
            try:
                status = path.stat()
                now = (status.st_size, status.st_mtime_ns)
                if self._looked.get(path) == now:
                    continue
                source = path.read_bytes()
            except OSError:
                yield file.name
                continue
            self._looked[path] = now
            if not same(source, file.source):
                yield file.name
