"""The name of every file of a sweep, and the claim of a directory for a new one."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import RecordsError, UserError

# "=" would make polars and DuckDB see a Hive partition in the path, "*", "?" and "[" a pattern.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True)
class SweepPaths:
    """Every file of one sweep."""

    root: Path

    @property
    def name(self) -> str:
        """The directory's name, by which the sweep is found."""
        return self.root.name

    @property
    def spec(self) -> Path:
        """The user's spec, byte for byte."""
        return self.root / "spec.yaml"

    @property
    def info(self) -> Path:
        """Where the sweep came from: versions, git, command line, the effective spec."""
        return self.root / "sweep.json"

    @property
    def metrics(self) -> Path:
        """The log of reports, a directory of Parquet files."""
        return self.root / "metrics"

    @property
    def events(self) -> Path:
        """The log of changes of state and decisions, a directory of Parquet files."""
        return self.root / "events"

    @property
    def trials_table(self) -> Path:
        """One row a trial."""
        return self.root / "trials.parquet"

    @property
    def remote(self) -> Path:
        """Where it runs, if that is on a cluster; the rest is then a copy."""
        return self.root / "remote.json"

    @property
    def lease(self) -> Path:
        """Which driver runs the sweep."""
        return self.root / "lease.json"

    @property
    def requests(self) -> Path:
        """What other terminals ask of the driver, a file a request; each is gone once it is taken."""
        return self.root / "requests"

    @property
    def slurm(self) -> Path:
        """What belongs to its Slurm job: the script, the output, and the number as long as there is a job."""
        return self.root / "slurm"

    def log(self, trial: int) -> Path:
        """What the trial printed."""
        return self.root / "logs" / f"{trial}.log"

    def trial(self, trial: int) -> Path:
        """The trial's own directory."""
        return self.root / "trials" / str(trial)

    def checkpoints(self, trial: int) -> Path:
        """The trial's checkpoints."""
        return self.root / "checkpoints" / str(trial)


def claim(results: Path, name: str) -> SweepPaths:
    """Make the directory of a new sweep, by one ``mkdir`` that only one process can win.

    A name that exists gives ``name-2``, ``name-3`` and so on.

    Raises:
        UserError: The name cannot be a directory's, or would be misread in a path by polars or DuckDB.
        RecordsError: The directory cannot be made; the sentence says why and what to do.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} cannot name a sweep: use letters, digits, '-', '_' and '.', the first no '-' or '.'")
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
            f"{results} is not a directory, so no sweep can be recorded there: move it away or choose another"
        ) from None
    except OSError as error:
        raise RecordsError(
            f"cannot make a directory for the sweep in {results}: {error.strerror}. "
            "Choose a directory that you may write to"
        ) from error
    raise AssertionError("unreachable: count() does not end")
