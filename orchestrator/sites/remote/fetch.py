"""Fetches the records that ``dump_records`` prints on the cluster, checks every hash, and updates the local copy."""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import hashlib
import json
import shlex
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from cluster.jobs import Jobs
from orchestrator.errors import RecordsError, SweepError
from orchestrator.records.atomic_files import open_new, temporary_path
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import parse_as
from orchestrator.records.remote_record import Remote, write_remote
from orchestrator.sites.remote.dump_records import BEGIN, END, LEFT_OUT, is_hidden
from orchestrator.sites.remote.job_output import lines
from orchestrator.sites.remote.submit import submit_program


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The result of one pull."""

    files: int  # the number of new or changed files
    size: int  # their size in bytes


@dataclass(frozen=True, kw_only=True)
class _About:
    """The last line of a transfer."""

    clock: float
    files: dict[str, tuple[int, str]]
    digest: str


class CorruptTransferError(Exception):
    """The received data differ from the sent data, or do not match the local copy."""


def pull(jobs: Jobs, paths: SweepPaths, remote: Remote, *, large: bool = False) -> Fetched:
    """Update the local copy with what has changed since the last pull, also while the sweep runs.

    Args:
        jobs: The cluster's Jobs API.
        paths: The local copy.
        remote: The sweep's up-to-date remote.json.
        large: Whether to include checkpoints and the trials' own directories.

    Raises:
        SweepError: The sweep is gone from the cluster, or its records were corrupted in transfer.
        ClusterError: The cluster cannot be reached.
    """
    ended = remote.ended
    try:
        fetched, clock = _round(jobs, paths, remote, since=0.0 if large else remote.clock, large=large)
    except CorruptTransferError:  # for example if the copy was changed: fetch everything again
        try:
            fetched, clock = _round(jobs, paths, remote, since=0.0, large=large)
        except CorruptTransferError as error:
            raise SweepError(f"records of {paths.name} were corrupted in transfer: {error}") from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_remote(paths, replace(remote, pulled=now, pulled_end=ended, clock=clock))
    return fetched


def _round(jobs: Jobs, paths: SweepPaths, remote: Remote, *, since: float, large: bool) -> tuple[Fetched, float]:
    words = [
        "python",
        "-m",
        "orchestrator.sites.remote.dump_records",
        remote.directory,
        repr(since),
        "large" if large else "small",
    ]
    job = submit_program(jobs, f"exec {shlex.join(words)}", name=f"pull-{paths.name}")
    with tempfile.TemporaryFile() as packed:
        try:
            about = read_package(lines(jobs.follow(job)), packed)
        except CorruptTransferError as error:
            status = jobs.ended(job)
            if status.word == "SUCCEEDED":
                raise
            said = (status.message or jobs.output(job)).strip().splitlines() or [str(error)]
            raise SweepError(f"cannot fetch {remote.directory} from {jobs.address}: {said[-1]}") from None
        finally:
            if jobs.ended(job).word == "SUCCEEDED":
                jobs.forget(job)
        return unpack(paths.root, packed, about), float(about["clock"])


def read_package(lines: Iterable[str], packed: IO[bytes]) -> dict[str, Any]:
    """Write the tar to a file, and return the content of the last line.

    Raises:
        CorruptTransferError: A line is missing or damaged.
    """
    digest, started = hashlib.sha256(), False
    for line in lines:
        if line.startswith(END):
            try:
                parse_as(_About, line[len(END) :])
            except ValueError as error:
                raise CorruptTransferError(f"the last line is damaged: {error}") from None
            about: dict[str, Any] = json.loads(line[len(END) :])
            if digest.hexdigest() != about["digest"]:
                raise CorruptTransferError("the hash of the archive differs")
            return about
        if started:
            try:
                data = base64.b64decode(line, validate=True)
            except binascii.Error as error:
                raise CorruptTransferError(f"a line is damaged: {error}") from error
            digest.update(data)
            packed.write(data)
        started = started or line == BEGIN
    raise CorruptTransferError("it is incomplete")


def unpack(root: Path, packed: IO[bytes], about: Mapping[str, Any]) -> Fetched:
    """Unpack the tar into the local copy, and compare the hashes of all its files.

    Raises:
        CorruptTransferError: A file differs.
        RecordsError: The copy cannot be written.
    """
    files: dict[str, tuple[int, str]] = {name: tuple(about["files"][name]) for name in about["files"]}
    count = size = 0
    packed.seek(0)
    try:
        with tarfile.open(fileobj=packed, mode="r|gz") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or entry.size != files.get(entry.name, (None, ""))[0]:
                    raise CorruptTransferError(f"{entry.name!r} is not one of the files that were announced")
                path = _within(root, entry.name)
                if _hash_of(path) == files[entry.name][1]:
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with open_new(temporary_path(path)) as file:
                    shutil.copyfileobj(content, file)
                temporary_path(path).replace(path)
                count, size = count + 1, size + entry.size
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, TypeError) as error:  # the last: a header is cut
        raise CorruptTransferError(f"the archive is damaged: {error}") from error
    except OSError as error:
        raise RecordsError(f"cannot write the copy in {root}: {error.strerror or error}") from error
    for name, (_, digest) in files.items():
        if _hash_of(_within(root, name)) != digest:
            raise CorruptTransferError(f"{name} differs")
    return Fetched(files=count, size=size)


def _within(root: Path, name: str) -> Path:
    path, parts = root / name, PurePosixPath(name).parts
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (ValueError, RuntimeError):  # a null byte, or links in a circle
        inside = False
    if not inside:
        raise CorruptTransferError(f"{name!r} is outside of the sweep's directory")
    if not parts or parts[0] in LEFT_OUT or is_hidden(parts):
        raise CorruptTransferError(f"{name!r} is no file that a cluster sends")
    return path


def _hash_of(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
