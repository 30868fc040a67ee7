"""Runs on the cluster and prints a sweep's records, because a job's output is all that the Jobs API reliably returns.

The first line marks the start. A gzipped tar in base64 follows, line by line. The last line is JSON with the size and
hash of each file, and the hash of the tar. Each file is read once, up to its size at that moment, which is safe because
logs only grow and other files are replaced by a rename.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TextIO

BEGIN, END = "SWEEP-RECORDS", "SWEEP-RECORDS-END "
LINE_BYTES = 3 * 8192
MARGIN_S = 5.0
"""Files that changed up to this many seconds before ``since`` are sent again: they may have changed twice."""

LEFT_OUT = ("lease.json", "remote.json", "requests", "journals")
LARGE = ("checkpoints", "trials")
"""Directories with files of the trials, which may be large."""


def write(root: Path, *, since: float, large: bool, to: TextIO) -> None:
    """Print a sweep's files.

    Args:
        root: The sweep's directory.
        since: Files that changed later are sent, others only listed; seconds since the epoch.
        large: Whether to include checkpoints and the trials' own directories.
        to: The stream to print to.
    """
    clock = time.time()
    files: dict[str, tuple[int, str]] = {}
    sent: list[str] = []
    print(BEGIN, file=to)
    lines = _Lines(to)
    with tarfile.open(fileobj=lines, mode="w|gz") as tar:
        for path in _files(root, large=large):
            name = path.relative_to(root).as_posix()
            with (
                contextlib.suppress(FileNotFoundError),
                path.open("rb") as file,
            ):  # checkpoints may be deleted at any time
                status = os.fstat(file.fileno())
                content = _Hashing(file, status.st_size)
                if status.st_mtime >= since - MARGIN_S:
                    entry = tarfile.TarInfo(name)
                    entry.size = status.st_size
                    tar.addfile(entry, content)
                    sent.append(name)
                files[name] = (status.st_size, content.finish())
    lines.close()
    about = {"clock": clock, "files": files, "sent": sent, "digest": lines.digest.hexdigest()}
    print(END + json.dumps(about), file=to)


class _Hashing(io.RawIOBase):
    """The first bytes of a file, hashed while they are read."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self._digest = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(data)
        self._digest.update(data)
        return data

    def finish(self) -> str:
        """Read the rest, and return the hash of all bytes."""
        while self.read(2**20):
            pass
        return self._digest.hexdigest()


class _Lines(io.RawIOBase):
    """Prints the bytes written to it as lines of base64."""

    def __init__(self, to: TextIO) -> None:
        self.digest = hashlib.sha256()
        self._to = to
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.digest.update(data)
        self._waiting += data
        while len(self._waiting) >= LINE_BYTES:
            self._line(LINE_BYTES)
        return len(data)

    def close(self) -> None:
        if self._waiting:
            self._line(len(self._waiting))
        super().close()

    def _line(self, size: int) -> None:
        print(base64.b64encode(self._waiting[:size]).decode(), file=self._to)
        del self._waiting[:size]


def _files(root: Path, *, large: bool) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0] in LEFT_OUT or is_hidden(parts) or (parts[0] in LARGE and not large):
            continue
        if path.is_file() and not path.is_symlink():
            yield path


def is_hidden(parts: Sequence[str]) -> bool:
    """Whether a file is of nobody's interest but a writer's; files that a trial has saved may have any name.

    Args:
        parts: Its path in the sweep's directory. Saved files are in ``checkpoints/<trial>/<place>/``.
    """
    return any(part.startswith(".") for part in (parts[:3] if parts[0] == "checkpoints" else parts))


if __name__ == "__main__":
    write(Path(sys.argv[1]), since=float(sys.argv[2]), large=sys.argv[3] == "large", to=sys.stdout)
