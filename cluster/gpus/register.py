"""Which of this machine's GPUs a process has for itself: a lock file for each, held until the process is done with it.

The register is for all users of the machine. A lock can be held on a file that one may only read, so nobody can write
into the files of others; who holds the locks of GPUs that it does not use takes nothing away, since GPUs can be shared.
Where there is no register, every GPU counts as free.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cluster.environment import environment
from cluster.gpus import nvidia

PLACE = Path("/tmp/sweep-gpus")
"""Not below TMPDIR, which differs from user to user."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """The GPUs that a process is to use."""

    devices: tuple[str, ...]
    shared: tuple[str, ...] = ()  # those of them that another process has registered
    others: int = 0  # GPUs that are left to other processes
    asked: bool = False  # whether a number was asked for


@contextmanager
def own_gpus(wanted: float | None = None, *, place: Path | None = None) -> Iterator[Share]:
    """Register NVIDIA GPUs for this process, and hide the others from it and from the Ray that it starts.

    Args:
        wanted: How many; None: all that no other process has registered, or all if none is left. More than there are
            are pretended, and nothing is registered.
        place: The directory of the register.
    """
    devices = nvidia.visible(nvidia.listed().cards, os.environ.get(nvidia.VARIABLE))
    if wanted is not None and not 0 < wanted <= len(devices):
        yield Share(devices=devices)
        return
    with registered(devices, None if wanted is None else int(wanted), place=place or PLACE) as share:
        if share.devices == devices:
            yield share
            return
        with environment({nvidia.VARIABLE: ",".join(share.devices)}):
            yield share


@contextmanager
def registered(devices: Sequence[str], wanted: int | None, *, place: Path = PLACE) -> Iterator[Share]:
    """Choose among devices, free ones first, and hold the locks of those that are free.

    Args:
        devices: Their names, which no two on this machine share.
        wanted: How many; None: all that are free, or all if none is.
        place: The directory of the register.
    """
    with ExitStack() as held:
        free: list[str] = []
        for device in devices:
            if len(free) == wanted:
                break
            lock = _open(place, device)
            if lock is not None:
                held.callback(os.close, lock)
            if lock is None or _locked(lock):
                free.append(device)
        taken = [device for device in devices if device not in free]
        number = wanted if wanted is not None else len(free) or len(devices)
        shared = taken[: number - len(free)]
        chosen = {*free, *shared}
        yield Share(
            devices=tuple(device for device in devices if device in chosen),
            shared=tuple(shared),
            others=len(devices) - len(chosen),
            asked=wanted is not None,
        )


def _locked(lock: int) -> bool:
    """Whether this process has the lock now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _open(place: Path, device: str) -> int | None:
    """The lock file of a device, open; None if it cannot be had."""
    with suppress(OSError):
        _make(place)
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return _open_in(directory, f"{device.replace('/', '-')}.lock")
        finally:
            os.close(directory)
    return None


def _make(place: Path) -> None:
    with suppress(FileExistsError):
        os.mkdir(place, 0o700)
        os.chmod(place, 0o1777)  # as /tmp: all may add a file, and none may remove another's


def _open_in(directory: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for _ in range(2):
        try:
            lock = os.open(name, flags, dir_fd=directory)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another process has just made it
                made = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o444, dir_fd=directory)
                with suppress(OSError):
                    os.fchmod(made, 0o444)  # whatever the umask says: others lock it, too
                return made
            continue
        if stat.S_ISREG(os.fstat(lock).st_mode):
            return lock
        os.close(lock)
        break
    raise OSError(f"{name} is no lock file")
