"""Which checkpoint stands for a trial's result, and why there is none."""

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
    """The checkpoint with the state by which the trial is judged, or the other one if only that is there.

    Raises:
        UserError: There is none; the sentence says why.
    """
    found = _find(paths, info, trial.trial)
    if found is None:
        raise UserError(f"there is no checkpoint of trial {trial.trial}, the best one: {_why(paths, info, trial)}")
    return found


def keep_of(info: SweepInfo) -> Keep:
    """Which checkpoints of a completed trial the sweep keeps."""
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
        return "trial.keep is none in its spec"
    if not trial.state.ended:
        return "it still runs, and has saved nothing yet"
    return "its trainable never called trial.save, or the file was removed"
