"""`sweep best --checkpoint`: copies the checkpoint of the best trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.analysis.summary.kept_checkpoint import KeptCheckpoint, kept_checkpoint
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.cli.formats import say
from orchestrator.errors import OverwriteError, RecordsError, UserError
from orchestrator.formatting import size
from orchestrator.records.load import metrics_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from trainables.checkpoints import files, saved_files
from trainables.checkpoints.snapshot import DamagedCheckpoint


@dataclass(frozen=True, kw_only=True)
class CheckpointCopy:
    """A copy that can be made: the checkpoint can be read, and its target is neither refused nor something else."""

    checkpoint: KeptCheckpoint
    target: Path
    replaces: bool  # whether the target is a checkpoint already
    trial: int
    facts: Sequence[str]  # its step, and the objective there if it was reported

    @classmethod
    def checked(cls, paths: SweepPaths, info: SweepInfo, winner: RankedTrial, to: str) -> CheckpointCopy:
        """Check everything, and write nothing.

        Args:
            paths, info: Of the sweep.
            winner: Its best trial.
            to: A new name or that of a checkpoint, or a directory, in which it becomes ``<sweep>-<trial>``, with the
                suffix of what the trial has saved.

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
        if to.endswith("/") and not target.is_dir() and not found.content.is_dir():
            raise UserError(f"there is no directory {to}")
        if target.is_dir():
            target = target / f"{paths.name}-{winner.trial}{found.suffix}"
        if found.saved is None and (target.suffix == ".json") != (found.suffix == ".json"):
            raise UserError(f"{target}: the checkpoint can only be read under a name that ends in {found.suffix}")
        if not target.parent.is_dir():
            raise UserError(f"cannot write {target}: there is no directory {target.parent}")
        replaces = target.exists()
        if replaces and (found.content.is_dir() or not _may_be_checkpoint(target)):
            why = "and a directory replaces nothing" if found.content.is_dir() else "and is no checkpoint"
            raise OverwriteError(f"{target} exists {why}: it is not overwritten")
        facts = [f"step {step}", *_value(paths, info, winner.trial, step)]
        return cls(checkpoint=found, target=target, replaces=replaces, trial=winner.trial, facts=facts)

    def write(self) -> None:
        """Copy the checkpoint atomically, and print what was copied.

        Raises:
            UserError: The target cannot be written.
        """
        try:
            with files.replacing(self.target) as hidden:
                saved_files.copy(self.checkpoint.content, hidden)
        except OSError as error:
            raise UserError(f"cannot write {self.target}: {error.strerror or error}") from error
        facts = ", ".join([*self.facts, size(saved_files.size_of(self.target))])
        verb = "replaced" if self.replaces else "wrote"
        say(f"# {verb} {self.target}: trial {self.trial}'s {self.checkpoint.name} checkpoint, {facts}")


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
