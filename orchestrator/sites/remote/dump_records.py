"""On the cluster: prints the records of a sweep, because what a job printed is all that the Jobs API is certain to
hand out.

After a first line comes a gzipped tar in base64, line by line; the last line says in JSON which files there are, with
size and hash, and the hash of the tar. Each file is read once, as long as it is at that moment: logs only grow, and
what is replaced is replaced by a rename.
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
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TextIO

BEGIN, END = "SWEEP-RECORDS", "SWEEP-RECORDS-END "
LINE_BYTES = 3 * 8192
MARGIN_S = 5.0
"""Files that changed so shortly before the last time are sent again: they may have changed twice."""

LEFT_OUT = ("lease.json", "remote.json", "requests")
LARGE = ("checkpoints", "trials")
"""Directories of what trials have written themselves, which may be large."""


def write(root: Path, *, since: float, large: bool, to: TextIO) -> None:
    """Print a sweep's files.

    Args:
        root: The sweep's directory.
        since: Files that changed later are sent, all others only named; seconds since the epoch.
        large: Whether the directories of checkpoints are looked at, too.
        to: Where to print.
    """
    clock = time.time()
    files: dict[str, tuple[int, str]] = {}
    sent: list[str] = []
    print(BEGIN, file=to)
    lines = _Lines(to)
    with tarfile.open(fileobj=lines, mode="w|gz") as tar:
        for path in _files(root, large=large):
            name = path.relative_to(root).as_posix()
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # checkpoints come and go
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
    """So many bytes of a file, hashed as they are read."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self._digest = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(data)
        self._digest.update(data)
        return data

    def finish(self) -> str:
        """Read what is left; the hash of all."""
        while self.read(2**20):
            pass
        return self._digest.hexdigest()


class _Lines(io.RawIOBase):
    """Bytes written here come out as lines of base64."""

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
        if parts[0] in LEFT_OUT or any(part.startswith(".") for part in parts) or (parts[0] in LARGE and not large):
            continue
        if path.is_file() and not path.is_symlink():
            yield path


if __name__ == "__main__":
    write(Path(sys.argv[1]), since=float(sys.argv[2]), large=sys.argv[3] == "large", to=sys.stdout)
