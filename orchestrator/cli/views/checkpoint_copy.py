"""`sweep best --checkpoint`: copies the checkpoint of the best trial."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.analysis.summary.kept_checkpoint import kept_checkpoint
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.cli.formats import say
from orchestrator.errors import OverwriteError, RecordsError, UserError
from orchestrator.formatting import size
from orchestrator.records.load import metrics_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from trainables.checkpoints import files
from trainables.checkpoints.snapshot import DamagedCheckpoint


def copy_checkpoint(paths: SweepPaths, info: SweepInfo, winner: RankedTrial, to: str) -> None:
    """Copy the winner's checkpoint atomically, and print what was copied.

    Args:
        paths, info: Of the sweep.
        winner: Its best trial.
        to: A file, or a directory, in which it becomes ``<sweep>-<trial>.pt`` (or ``.json``).

    Raises:
        UserError: There is no checkpoint, or the target cannot be written or is no checkpoint.
        RecordsError: The checkpoint is damaged.
    """
    found = kept_checkpoint(paths, info, winner)
    try:
        step = files.load(found.path)["step"]
    except DamagedCheckpoint as error:
        raise RecordsError(f"{found.path} is damaged: {error}") from error
    except OSError as error:
        raise RecordsError(f"cannot read {found.path}: {error.strerror or error}") from error
    target = Path(to)
    if to.endswith("/") and not target.is_dir():
        raise UserError(f"there is no directory {to}")
    if target.is_dir():
        target = target / f"{paths.name}-{winner.trial}{found.path.suffix}"
    if (target.suffix == ".json") != (found.path.suffix == ".json"):
        raise UserError(f"{target}: the checkpoint can only be read under a name that ends in {found.path.suffix}")
    replaces = target.exists()
    if replaces and not _may_be_checkpoint(target):
        raise OverwriteError(f"{target} exists and is no checkpoint: it is not overwritten")
    try:
        with files.replacing(target) as hidden:
            shutil.copyfile(found.path, hidden)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}") from error
    facts = [f"step {step}", *_value(paths, info, winner.trial, step), size(target.stat().st_size)]
    verb = "replaced" if replaces else "wrote"
    say(f"# {verb} {target}: trial {winner.trial}'s {found.name} checkpoint, {', '.join(facts)}")


def _may_be_checkpoint(path: Path) -> bool:
    """By its first bytes: torch's files are ZIP archives, ours without tensors are JSON objects."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(1) == b"{" if path.suffix == ".json" else file.read(4) == b"PK\x03\x04"


def _value(paths: SweepPaths, info: SweepInfo, trial: int, step: int) -> list[str]:
    """The objective at the checkpoint's step, if it was reported there."""
    metric = objective_of(info).metric
    table = metrics_table(paths)
    if metric not in table.schema.names:
        return []
    rows = table.select(["trial", "step", metric]).to_pylist()
    values = [row[metric] for row in rows if (row["trial"], row["step"]) == (trial, step)]
    return [f"{metric} {value:.6g}" for value in values if value is not None]
