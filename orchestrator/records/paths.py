"""The paths of a sweep's files, and the creation of a directory for a new sweep."""

from __future__ import annotations

import itertools
import os
import re
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import OptionsError, RecordsError, UserError

# polars and DuckDB would read "=" in a path as a Hive partition, and "*", "?" and "[" as a pattern.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")

# pathlib makes one slash of two. A letter and a colon are a drive of Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")


def log_name(trial: int, rank: int = 0) -> str:
    """The name of the log of a trial, or of one of its other ranks."""
    return f"{trial}.rank{rank}.log" if rank else f"{trial}.log"


@dataclass(frozen=True)
class SweepPaths:
    """The paths of one sweep's files."""

    root: Path

    @property
    def name(self) -> str:
        """The sweep's name, which is its directory's name."""
        return self.root.name

    @property
    def spec(self) -> Path:
        """The user's spec, byte for byte."""
        return self.root / "spec.yaml"

    @property
    def info(self) -> Path:
        """The sweep's provenance: versions, git state, command line, effective spec."""
        return self.root / "sweep.json"

    @property
    def code(self) -> Path:
        """The files of the trainable's code, as the sweep's last session trained them."""
        return self.root / "code"

    @property
    def earlier(self) -> Path:
        """What the search was told of earlier sweeps; absent if that is nothing."""
        return self.root / "earlier.json"

    @property
    def metrics(self) -> Path:
        """The log of reports, a directory of Parquet files."""
        return self.root / "metrics"

    @property
    def events(self) -> Path:
        """The log of state changes and decisions, a directory of Parquet files."""
        return self.root / "events"

    @property
    def trials_table(self) -> Path:
        """The table of trials, one row per trial."""
        return self.root / "trials.parquet"

    @property
    def remote(self) -> Path:
        """The cluster that the sweep runs on; the other files are a copy then. Absent for local sweeps."""
        return self.root / "remote.json"

    @property
    def lease(self) -> Path:
        """The lease of the driver that runs the sweep."""
        return self.root / "lease.json"

    @property
    def requests(self) -> Path:
        """Requests of other terminals to the driver, one file each, which the driver deletes."""
        return self.root / "requests"

    @property
    def slurm(self) -> Path:
        """The files of the sweep's Slurm job: script, output, and the job's number while the job exists."""
        return self.root / "slurm"

    @property
    def journals(self) -> Path:
        """The directory of the journals. Absent if there are none."""
        return self.root / "journals"

    @property
    def all_checkpoints(self) -> Path:
        """The directory of the trials' checkpoints. Absent if there are none."""
        return self.root / "checkpoints"

    @property
    def logs(self) -> Path:
        """The directory of the trials' output. Absent if there is none."""
        return self.root / "logs"

    @property
    def trials(self) -> Path:
        """The directory of the trials' own directories."""
        return self.root / "trials"

    def log(self, trial: int, rank: int = 0) -> Path:
        """The trial's output, or that of one of its other ranks."""
        return self.logs / log_name(trial, rank)

    def trial(self, trial: int) -> Path:
        """The trial's own directory."""
        return self.trials / str(trial)

    def checkpoints(self, trial: int) -> Path:
        """The trial's checkpoints."""
        return self.all_checkpoints / str(trial)

    def journal(self, trial: int) -> Path:
        """The trial's journal, of reports that may not be recorded yet."""
        return self.journals / f"{trial}.jsonl"


def numbered(directory: Path) -> set[int]:
    """The trials that have files, or a directory, in one of a sweep's directories.

    Raises:
        OSError: The directory cannot be read.
    """
    try:
        stems = {path.name.partition(".")[0] for path in directory.iterdir()}
    except FileNotFoundError:
        return set()
    return {int(stem) for stem in stems if stem.isdigit()}


def refuse_links(paths: SweepPaths) -> None:
    """Check that nothing of a sweep leads out of its directory, before something is written or removed there.

    What trials have put into their own directories is not looked at.

    Raises:
        RecordsError: There is a symbolic link, or the directory cannot be read.
    """
    try:
        with os.scandir(paths.root) as scanned:
            entries = list(scanned)
        for entry in entries:
            below = os.scandir(entry.path) if entry.is_dir(follow_symlinks=False) else nullcontext(())
            with below as inner:
                for each in (entry, *inner):
                    if each.is_symlink():
                        raise RecordsError(
                            f"{each.path} is a symbolic link, and nothing is written through one:"
                            " put what it leads to in its place, or remove it"
                        )
    except OSError as error:
        raise RecordsError(f"cannot read {paths.root}: {error.strerror or error}") from error


def results_directory(text: str | Path) -> Path:
    """The directory that a user names for sweeps.

    Raises:
        OptionsError: It is a URL, such as that of a bucket.
    """
    if _URL.match(str(text)):
        raise OptionsError(
            f"results cannot be at {text}: sweeps are recorded in a directory of the file system, not at a URL;"
            " name a local or a mounted directory",
            value=str(text),
        )
    return Path(text)


def claim(results: Path, name: str) -> SweepPaths:
    """Create the directory of a new sweep, safely against other processes.

    If the name exists, the directory is called ``name-2``, ``name-3`` and so on.

    Raises:
        UserError: The name has characters that are not allowed, or the path is not text that all programs can read.
        RecordsError: The directory cannot be created.
    """
    if (where := os.fsencode(os.path.realpath(results)).decode(errors="replace")) != os.path.realpath(results):
        raise UserError(f"cannot record sweeps in {where}: the path is not UTF-8; choose another directory")
    if not _NAME.fullmatch(name):
        allowed = "letters, digits, '-', '_' and '.', the first one not '-' or '.'"
        raise UserError(f"{name!r} is not a valid sweep name: use {allowed}")
    try:
        results.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            root = results / (name if number == 1 else f"{name}-{number}")
            try:
                root.mkdir()
            except FileExistsError:
                continue
            return SweepPaths(root)
    except (FileExistsError, NotADirectoryError):
        raise RecordsError(
            f"cannot record sweeps in {results}, which is not a directory: move it away or choose another directory"
        ) from None
    except OSError as error:
        raise RecordsError(
            f"cannot create a directory for the sweep in {results}: {error.strerror}. Choose a writable directory"
        ) from error
    raise AssertionError("unreachable: count() does not end")
