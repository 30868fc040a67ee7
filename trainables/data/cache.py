"""Data that is prepared once a machine: arrays in files that every trial maps into its memory.

An entry is a directory, named after the content of the data, the preparation and its code. It is written elsewhere and
renamed, so that two writers do no harm; a lock lets the second one wait instead. What is not used for a month is
removed. The cache is in ``$XDG_CACHE_HOME/sweep/data``, by default ``~/.cache/sweep/data``. Where that cannot be
written, data is prepared in every process.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.data.identity import files, identity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

log = logging.getLogger(__name__)

UNUSED_S = 30 * 24 * 3600
"""An entry that has not been used for so long is removed when another one is written."""

SETTLED_NS = 2 * 10**9
"""A file that was changed less than this ago may change again without a new modification time."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Data as it was prepared.

    Attributes:
        arrays: By name. They may be views of files: what a trial writes there stays in its own memory.
        facts: Everything else, as JSON has it.
    """

    arrays: Mapping[str, Array]
    facts: Mapping[str, Any] = field(default_factory=dict)


def prepared(
    make: Callable[[], Prepared], *, data: Sequence[Path], options: Mapping[str, Any], code: Sequence[str]
) -> Prepared:
    """What ``make`` returns, from the cache if it was made before.

    Args:
        make: Prepares the data.
        data: The files and directories that it reads.
        options: Everything else that it depends on, as JSON has it.
        code: The files of its code.

    Raises:
        OSError: The data cannot be read.
    """
    sources = [_remembered_identity(path.resolve()) for path in data]
    written = json.dumps([sources, options, [_code(path) for path in code]], sort_keys=True, default=str)
    entry = directory() / hashlib.sha256(written.encode()).hexdigest()[:32]
    if entry in _used:
        _used[entry] = _used.pop(entry)  # the last to be closed
        return _used[entry]
    found = _read(entry)
    if found is None:
        with _locked(entry):
            found = _read(entry)
            if found is None:
                found = make()
                _write(entry, found)
                found = _read(entry) or found
    while len(_used) >= KEPT:
        del _used[next(iter(_used))]
    _used[entry] = found
    return found


KEPT = 4
"""So many entries stay open in a process."""

_used: dict[Path, Prepared] = {}


def directory() -> Path:
    """Where the cache is."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sweep" / "data"


def _read(entry: Path) -> Prepared | None:
    import numpy as np

    try:
        facts = json.loads((entry / "facts.json").read_text())
        arrays = {path.stem: np.load(path, mmap_mode="c") for path in entry.glob("*.npy")}
        os.utime(entry)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s: cannot be read, so the data is prepared again: %s", entry, error)
        shutil.rmtree(entry, ignore_errors=True)
        return None
    return Prepared(arrays=arrays, facts=facts)


def _write(entry: Path, made: Prepared) -> None:
    import numpy as np

    half: str | None = None
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        _remove_unused(entry.parent)
        half = tempfile.mkdtemp(dir=entry.parent, prefix="writing-")
        for name, array in made.arrays.items():
            np.save(os.path.join(half, f"{name}.npy"), array)
        Path(half, "facts.json").write_text(json.dumps(made.facts))
        os.rename(half, entry)
    except OSError as error:
        if not entry.is_dir():  # else another process was quicker
            log.warning("%s: cannot be written, so every process prepares the data: %s", entry, error.strerror or error)
        if half is not None:
            shutil.rmtree(half, ignore_errors=True)


def _remove_unused(cache: Path) -> None:
    for each in cache.iterdir():
        with suppress(OSError):
            if time.time() - each.stat().st_mtime > UNUSED_S:
                shutil.rmtree(each) if each.is_dir() else each.unlink()


@contextmanager
def _locked(entry: Path) -> Iterator[None]:
    """Alone with this entry on this machine, where its files can be locked."""
    import filelock

    lock = filelock.FileLock(f"{entry}.lock")
    with suppress(OSError, NotImplementedError):  # no lock: two writers do no harm, and the second one works in vain
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@lru_cache
def _code(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _remembered_identity(path: Path) -> str:
    """The identity of the data, which is not computed again while no file has been changed."""
    known = directory() / f"file-{hashlib.sha256(str(path).encode(errors='surrogateescape')).hexdigest()[:32]}.json"
    stamp, changed = _stamp(path)
    with suppress(OSError, ValueError):
        before = json.loads(known.read_text())
        if before["stamp"] == stamp:
            return str(before["identity"])
    found = identity(path)
    if time.time_ns() - changed > SETTLED_NS:
        with suppress(OSError):
            known.parent.mkdir(parents=True, exist_ok=True)
            half = known.with_suffix(f".{os.getpid()}")
            half.write_text(json.dumps({"stamp": stamp, "identity": found}))
            os.replace(half, known)
    return found


def _stamp(path: Path) -> tuple[list[int] | str, int]:
    """What changes with a file, or with any file of a directory, and the time of the last change."""
    status = path.stat()
    if not path.is_dir():
        return [status.st_mtime_ns, status.st_size, status.st_ino], status.st_mtime_ns
    listed = sorted(files(path))
    text = json.dumps(listed).encode()
    return hashlib.sha256(text).hexdigest(), max((changed for _, _, changed in listed), default=0)
