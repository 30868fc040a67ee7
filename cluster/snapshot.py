"""Which files of a project are sent to a cluster: those that git tracks or would, hashed and packed into a zip.

Beside .gitignore, .sweepignore excludes files, and with ``!`` includes ignored ones. Files that usually hold secrets
and links that leave the project are excluded. The hash covers names and contents, so the same code has the same hash
everywhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pathspec import GitIgnoreSpec

from cluster.errors import ClusterError
from cluster.secret_files import is_secret

IGNORE = ".sweepignore"
LIMIT = 100_000_000
"""Bytes. Ray itself accepts up to 512 MiB, zipped, and keeps them in its head's memory."""

ALWAYS_OUT = (".git", ".venv", "venv", "__pycache__")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold, so that the same files give the same zip


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Which files are sent, before any of them is read."""

    root: Path
    sizes: dict[str, int]  # bytes by path from the root, with /, sorted
    withheld: tuple[str, ...]  # excluded because they usually hold secrets, or are links that leave the project

    @property
    def size(self) -> int:
        """The total, in bytes."""
        return sum(self.sizes.values())

    def largest(self, count: int = 5) -> list[tuple[str, int]]:
        """The largest files, with their sizes in bytes."""
        return sorted(self.sizes.items(), key=lambda item: -item[1])[:count]


def project(directory: Path) -> Path:
    """The project of a spec in this directory: the git work tree around it; without one, the directory itself."""
    top = _git(directory, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(top.rstrip(b"\n"))) if top else directory.resolve()


def take(root: Path, *, without: Collection[Path] = ()) -> Snapshot:
    """Choose the files to send.

    Args:
        root: The project, as ``project`` returns it.
        without: Directories that are excluded whatever the ignore files say.
    """
    own = _patterns(root / IGNORE)
    out = {each.resolve() for each in without}
    kept: set[str] = set()
    withheld: list[str] = []
    for name, ignored in _candidates(root, also_ignored=any(line.startswith("!") for line in _lines(root / IGNORE))):
        path = root / name
        verdict = own.check_file(name).include  # None: .sweepignore does not say
        if verdict or (ignored and verdict is None):
            continue
        if not path.is_file() or any(parent.resolve() in out for parent in path.parents):
            continue
        if verdict is None and _is_withheld(name, path, root):
            withheld.append(name)
            continue
        kept.add(name)
    return Snapshot(
        root=root, sizes={name: (root / name).stat().st_size for name in sorted(kept)}, withheld=tuple(sorted(withheld))
    )


def _is_withheld(name: str, path: Path, root: Path) -> bool:
    """Whether a file usually holds secrets, also by another name, or is a link that leaves the project."""
    held, inside = path.resolve(), root.resolve()
    if not held.is_relative_to(inside):
        return True
    names = {name, held.relative_to(inside).as_posix()}
    return any(is_secret(each) and not each.endswith(".py") for each in names)  # trials import modules


def check_size(snapshot: Snapshot, limit: int = LIMIT) -> None:
    """Refuse a project that is too large to be sent for every sweep.

    Raises:
        ClusterError: The project is too large; the sentence says what to do.
    """
    if snapshot.size > limit:
        raise ClusterError(
            f"{snapshot.root} has {snapshot.size / 1e6:,.0f} MB to send; the limit is {limit / 1e6:,.0f} MB. "
            f"Exclude what trials do not need in {snapshot.root / IGNORE}, and keep data where the nodes see it"
        )


def pack(snapshot: Snapshot, zipped: ZipFile, under: str) -> str:
    """Write the files into a zip, below the directory ``under``; return a hash of names, modes and contents.

    Raises:
        ClusterError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for name in snapshot.sizes:
        path = snapshot.root / name
        try:
            content, runs = path.read_bytes(), os.access(path, os.X_OK)
        except OSError as error:
            raise ClusterError(f"cannot send {path}: {error.strerror}") from error
        digest.update(f"{name}\0{int(runs)}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
        put(zipped, f"{under}/{name}", content, executable=runs)
    return f"sha256 {digest.hexdigest()}"


def put(zipped: ZipFile, name: str, content: bytes, *, executable: bool = False) -> None:
    """Write one file of a zip; the same content gives the same bytes at any time."""
    entry = ZipInfo(name, date_time=_EPOCH)
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    zipped.writestr(entry, content, compress_type=ZIP_DEFLATED, compresslevel=6)


def _candidates(root: Path, *, also_ignored: bool) -> Iterable[tuple[str, bool]]:
    """Every file that may be sent, and whether .gitignore excludes it."""
    if not _git(root, "rev-parse", "--show-toplevel"):
        ignored = _patterns(root / ".gitignore")
        yield from ((name, ignored.match_file(name)) for name in _walk(root))
        return
    listing = ["ls-files", "-z", "--others", "--exclude-standard"]
    for name in _git(root, *listing, "--cached").split(b"\0"):
        yield os.fsdecode(name), False
    if also_ignored:
        for name in _git(root, *listing, "--ignored").split(b"\0"):
            if not _ALWAYS_OUT.match_file(os.fsdecode(name)):
                yield os.fsdecode(name), True


def _walk(root: Path) -> Iterable[str]:
    for directory, subdirectories, files in os.walk(root):
        subdirectories[:] = [name for name in subdirectories if name not in ALWAYS_OUT]
        yield from (Path(directory, name).relative_to(root).as_posix() for name in files)


_ALWAYS_OUT = GitIgnoreSpec.from_lines(ALWAYS_OUT)


def _patterns(path: Path) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(_lines(path))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


def _git(directory: Path, *arguments: str) -> bytes:
    """What git prints; empty outside of a work tree, or without git."""
    command = ["git", "--no-optional-locks", "-C", str(directory), *arguments]
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    except FileNotFoundError:
        return b""
