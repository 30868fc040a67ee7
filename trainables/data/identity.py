"""By what a file or directory of data is recognised: its content, or, if that is too much to read, sizes and times."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

HASHED_BYTES = 256 * 2**20
"""What is larger is identified by size and modification time."""


def identity(path: Path) -> str:
    """A text that is another one once the data is another: of a file, or of all files in a directory.

    Raises:
        OSError: It cannot be read.
    """
    if not path.is_dir():
        status = path.stat()
        if status.st_size > HASHED_BYTES:
            return f"size {status.st_size}, changed {status.st_mtime_ns}"
        return f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    found = sorted(files(path))
    whole = sum(size for _, size, _ in found) <= HASHED_BYTES
    total = hashlib.sha256()
    for name, size, changed in found:
        content = hashlib.sha256((path / name).read_bytes()).hexdigest() if whole else f"{size} {changed}"
        total.update(f"{name}\n{content}\n".encode(errors="surrogateescape"))
    return f"{'sha256' if whole else 'sizes and times'} of {len(found)} files {total.hexdigest()}"


def files(directory: Path, within: str = "") -> Iterator[tuple[str, int, int]]:
    """The name from the directory, size and time of each file, but for hidden ones."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from files(Path(entry.path), f"{within}{entry.name}/")
            else:
                status = entry.stat()
                yield f"{within}{entry.name}", status.st_size, status.st_mtime_ns
