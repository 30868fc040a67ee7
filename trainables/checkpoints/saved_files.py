"""The copy of a file or directory that a trial has saved, among its checkpoints: ``step-12-0a1b2c3d/checkpoint-12``.

The bytes are copied, never linked: a program may write into the same file again, which would change a hard link, too.
Where the file system can share blocks until one side writes (XFS, btrfs), the kernel does so, and nothing is copied.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

_PLACE = re.compile(r"step-\d+-[0-9a-f]{8}")
_UNSHARED = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}


@dataclass(frozen=True, kw_only=True)
class SavedFiles:
    """A copied file or directory.

    Attributes:
        path: The copy, under the name of the original, in a directory of its own: its place.
        sizes: The bytes of each file in it by relative path, links left out, or {"": bytes} of a single file.
    """

    path: Path
    sizes: Mapping[str, int]

    @property
    def place(self) -> str:
        """The name of the directory, among a trial's checkpoints, that contains the copy and nothing else."""
        return self.path.parent.name

    def record(self) -> dict[str, Any]:
        """What a checkpoint says about its files, as plain data."""
        return {"place": self.place, "name": self.path.name, "sizes": dict(self.sizes)}

    @classmethod
    def recorded(cls, record: Mapping[str, Any], checkpoints: Path) -> SavedFiles:
        """The copy that a checkpoint in that directory speaks of; all its files are there.

        Raises:
            ValueError: Something is missing, has another size, or would lead out of the directory.
            OSError: The files cannot be looked at.
        """
        place, name = str(record["place"]), str(record["name"])
        sizes = {str(each): int(size) for each, size in record["sizes"].items()}
        leads_away = any(PurePosixPath(each).is_absolute() or ".." in PurePosixPath(each).parts for each in sizes)
        if not is_place(place) or name in ("", ".", "..") or "/" in name or leads_away:
            raise ValueError("its files are outside of the trial's checkpoints")
        saved = cls(path=checkpoints / place / name, sizes=sizes)
        if (checkpoints / place).is_symlink() or saved.path.is_symlink():
            raise ValueError(f"{place}/{name} is a symbolic link")
        saved._check()
        return saved

    def _check(self) -> None:
        try:
            self.path.lstat()
            for name, expected in self.sizes.items():
                size = (self.path / name).lstat().st_size
                if size != expected:
                    raise ValueError(
                        f"{self.place}/{self.path.name}/{name}".rstrip("/") + f" has {size} bytes of {expected}"
                    )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ValueError(f"{error.filename} is missing") from error

    def sync(self) -> None:
        """Wait until the disk has the files."""
        for path in (self.path.parent, self.path, *below(self.path)):
            if not path.is_symlink():
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


def is_place(name: str) -> bool:
    """Whether a directory among a trial's checkpoints has the name of a place, in which files are kept."""
    return _PLACE.fullmatch(name) is not None


def new_place(step: int) -> str:
    """The name of a place for what is saved after a step."""
    return f"step-{max(step, 0)}-{uuid.uuid4().hex[:8]}"


def source_of(path: str | os.PathLike[str], checkpoints: Path | None = None) -> Path:
    """The file or directory that a trial wants to save, as an absolute path without links.

    Args:
        path: As the trial gives it; it may itself be a link.
        checkpoints: The trial's directory of checkpoints.

    Raises:
        TypeError: It is no path.
        FileNotFoundError: Nothing is there.
        ValueError: It cannot be copied: it contains the checkpoints, a link out of it, or what is no file.
    """
    try:
        source = Path(path).resolve(strict=True)
    except TypeError:
        raise TypeError(f"trial.save(path={path!r:.80}): a path is a str or a pathlib.Path") from None
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "trial.save(path=…): no such file or directory", str(path)) from None
    if checkpoints is not None and checkpoints.resolve().is_relative_to(source):
        raise ValueError(f"trial.save(path={str(path)!r}): the trial's checkpoints are themselves in it: {checkpoints}")
    for each in (source, *below(source)):
        if each.is_symlink():
            if not each.resolve().is_relative_to(source):
                raise ValueError(
                    f"trial.save(path={str(path)!r}): {each} is a symbolic link out of it; put a copy there"
                )
        elif not (each.is_dir() or each.is_file()):
            raise ValueError(f"trial.save(path={str(path)!r}): {each} is neither a file nor a directory")
    return source


def size_of(path: Path) -> int:
    """The bytes of a file, or of the files in a directory."""
    return sum(_sizes(path).values())


def copy_to(place: Path, source: Path) -> SavedFiles:
    """Copy what :func:`source_of` returned into a new directory.

    Raises:
        OSError: The files cannot be read or written; the directory may then be incomplete.
    """
    place.mkdir()
    target = place / source.name
    copy(source, target)
    return SavedFiles(path=target, sizes=_sizes(target))


def copy(source: Path, target: Path) -> None:
    """Copy a file or directory, whose links lead to places within it, to a path where nothing is.

    Raises:
        OSError: The files cannot be read or written.
    """
    if not source.is_dir():
        _copy_file(source, target)
        return
    target.mkdir()
    for each in below(source):
        to = target / each.relative_to(source)
        if each.is_symlink():
            to.symlink_to(os.path.relpath(each.resolve(), each.parent))
        elif each.is_dir():
            to.mkdir()
        else:
            _copy_file(each, to)


def remove(name: str | Path, *, dir_fd: int | None = None) -> None:
    """Remove a file, or a directory with all that is in it; links are removed, not followed. Nothing there is fine.

    Raises:
        OSError: It cannot be removed; ENOTEMPTY if somebody writes into it meanwhile.
    """
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=dir_fd)
        else:
            os.unlink(name, dir_fd=dir_fd)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        if hasattr(os, "copy_file_range"):
            try:
                while os.copy_file_range(reading.fileno(), writing.fileno(), 2**30):
                    pass
            except OSError as error:
                if error.errno not in _UNSHARED:
                    raise
        shutil.copyfileobj(reading, writing, 2**20)  # what is left: all of it, where the kernel cannot copy


def _sizes(path: Path) -> dict[str, int]:
    """The bytes of each regular file by its path relative to ``path``, which is "" if that is the file."""
    files = ((each, each.lstat()) for each in (path, *below(path)))
    return {
        "" if each == path else each.relative_to(path).as_posix(): status.st_size
        for each, status in files
        if stat.S_ISREG(status.st_mode)
    }


def below(directory: Path) -> Iterator[Path]:
    """All that is in a directory, each directory before its content, links unfollowed; nothing for a file or a link."""
    if directory.is_symlink() or not directory.is_dir():
        return
    for above, directories, files in os.walk(directory, onerror=_raise):
        for name in sorted(directories + files):
            yield Path(above, name)


def _raise(error: OSError) -> None:
    raise error
