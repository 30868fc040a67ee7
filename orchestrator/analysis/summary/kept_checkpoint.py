"""Finds the checkpoint that belongs to a trial's result, or says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.core.rows import Origin
from orchestrator.errors import UserError
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.remote_record import read_remote
from orchestrator.spec.keep_policy import KeepPolicy
from trainables.checkpoints.files import find, saved_path


@dataclass(frozen=True, kw_only=True)
class KeptCheckpoint:
    """A checkpoint of a trial.

    Attributes:
        path: Its file.
        name: Which of the trial's checkpoints it is.
        saved: The copy of the file or directory that the trial has saved; None if it has saved a state.
    """

    path: Path
    name: Literal["best", "last"]
    saved: Path | None = None

    @property
    def content(self) -> Path:
        """What the user wants to have: what the trial has saved, else the checkpoint's file."""
        return self.saved or self.path

    @property
    def suffix(self) -> str:
        """The suffix of a copy's name; "" for a directory."""
        return "" if self.content.is_dir() else self.content.suffix


def kept_checkpoint(paths: SweepPaths, info: SweepInfo, trial: RankedTrial) -> KeptCheckpoint:
    """The checkpoint that objective.at names (best or last); the other one if only that exists.

    Raises:
        UserError: The trial has no checkpoint; the message says why.
    """
    found = find_kept(paths, info, trial.trial)
    if found is None:
        raise UserError(f"trial {trial.trial}, the best one, has no checkpoint: {why_none(paths, info, trial)}")
    return found


def keep_of(info: SweepInfo, keep: str | None = None) -> KeepPolicy:
    """Which checkpoints the sweep keeps, as ``Spec.keep``; ``keep`` overrides its trial.keep."""
    return KeepPolicy.parsed(keep or info.spec["trial"].get("keep"), objective_of(info).at)


def find_kept(paths: SweepPaths, info: SweepInfo, trial: int) -> KeptCheckpoint | None:
    """As :func:`kept_checkpoint`; None if the trial has none."""
    names: tuple[Literal["best", "last"], ...] = ("best", "last")
    for name in names if objective_of(info).at == "best" else reversed(names):
        path = find(paths.checkpoints(trial), name)
        if path is not None:
            return KeptCheckpoint(path=path, name=name, saved=saved_path(path))
    return None


def why_none(paths: SweepPaths, info: SweepInfo, trial: RankedTrial) -> str:
    """Why a trial has no checkpoint."""
    if keep_of(info).checkpoints == "none":
        return "the spec sets trial.keep: none"
    if not trial.state.ended:
        return "it is still running and has not saved one yet"
    rows = trials_table(paths, ["trial", "origin", "reason"]).to_pylist()
    taken = [row["reason"] for row in rows if row["trial"] == trial.trial and row["origin"] == Origin.REUSED]
    if taken and taken[0]:
        return f"it was {taken[0].partition(':')[0]}, and its checkpoint stayed there"
    if read_remote(paths) is not None and not paths.checkpoints(trial.trial).exists():
        return f"none was fetched from the cluster. To fetch them: sweep pull {paths.root.name} --checkpoints"
    return "the trainable never called trial.save, or the file was removed"
