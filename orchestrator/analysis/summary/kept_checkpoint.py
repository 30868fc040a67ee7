"""Finds the checkpoint that belongs to a trial's result, or says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from trainables.checkpoints.files import Keep, find


@dataclass(frozen=True, kw_only=True)
class KeptCheckpoint:
    """A checkpoint of a trial."""

    path: Path
    name: Literal["best", "last"]


def kept_checkpoint(paths: SweepPaths, info: SweepInfo, trial: RankedTrial) -> KeptCheckpoint:
    """The checkpoint that objective.at names (best or last); the other one if only that exists.

    Raises:
        UserError: The trial has no checkpoint; the message says why.
    """
    found = _find(paths, info, trial.trial)
    if found is None:
        raise UserError(f"trial {trial.trial}, the best one, has no checkpoint: {_why(paths, info, trial)}")
    return found


def keep_of(info: SweepInfo) -> Keep:
    """Which checkpoints the sweep keeps of a completed trial (trial.keep)."""
    keep: Keep = info.spec["trial"]["keep"]
    return keep


def _find(paths: SweepPaths, info: SweepInfo, trial: int) -> KeptCheckpoint | None:
    names: tuple[Literal["best", "last"], ...] = ("best", "last")
    for name in names if objective_of(info).at == "best" else reversed(names):
        path = find(paths.checkpoints(trial), name)
        if path is not None:
            return KeptCheckpoint(path=path, name=name)
    return None


def _why(paths: SweepPaths, info: SweepInfo, trial: RankedTrial) -> str:
    if keep_of(info) == "none":
        return "the spec sets trial.keep: none"
    if not trial.state.ended:
        return "it is still running and has not saved one yet"
    return "the trainable never called trial.save, or the file was removed"
