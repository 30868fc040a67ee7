"""Deletes checkpoints not covered by trial.keep, from sweeps that are not running; never touches records.

A driver does the same whenever a trial ends. What remains for this module: checkpoints of a driver that was killed,
partial and damaged files, and checkpoints that the user no longer wants to keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.analysis.summary.kept_checkpoint import keep_of
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.control.hold_lease import hold_lease
from orchestrator.core.rows import State
from orchestrator.driver.checkpoint_retention import to_keep
from orchestrator.errors import RecordsError
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from trainables.checkpoints.files import Keep, surplus, tidy


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """The surplus checkpoints of one trial."""

    trial: int
    state: State
    keep: Keep  # what is kept
    directory: Path
    files: tuple[Path, ...]
    size: int  # bytes of disk space that deleting them frees


def surplus_of(paths: SweepPaths, keep: Keep | None = None) -> list[Surplus]:
    """The checkpoints that a sweep that is not running need not keep, by trial.

    :func:`orchestrator.driver.checkpoint_retention.to_keep` decides what stays.

    Args:
        paths: The sweep's files.
        keep: Overrides the spec's trial.keep.

    Raises:
        RecordsError: The records or the checkpoints cannot be read.
    """
    info = read_sweep_json(paths.info)
    best = {ranked.trial for ranked in best_trials(paths, info, 1)}
    found = []
    for row in trials_table(paths, ["trial", "state"]).to_pylist():
        trial, state = row["trial"], State(row["state"])
        policy = to_keep(state, keep or keep_of(info), is_best=trial in best)
        directory = paths.checkpoints(trial)
        try:
            files = surplus(directory, policy)
            if files:
                size = _freed(files)
                found.append(
                    Surplus(
                        trial=trial,
                        state=state,
                        keep=policy,
                        directory=directory,
                        files=tuple(sorted(files)),
                        size=size,
                    )
                )
        except OSError as error:
            raise RecordsError(f"cannot read {directory}: {error.strerror or error}") from error
    return found


def clean(
    paths: SweepPaths, keep: Keep | None = None, *, waiting: Callable[[str], None] = lambda sentence: None
) -> list[Surplus]:
    """Delete the checkpoints that :func:`surplus_of` finds, and return them.

    Raises:
        LeaseHeldError: The sweep is running.
        RecordsError: A file cannot be read or deleted.
    """
    if not surplus_of(paths, keep):
        return []
    with hold_lease(paths, waiting) as check:
        found = surplus_of(paths, keep)  # again, now that nobody else changes anything
        for each in found:
            check()
            try:
                tidy(each.directory, each.keep)
            except OSError as error:
                raise RecordsError(f"cannot clean {each.directory}: {error.strerror or error}") from error
    return found


def _freed(files: list[Path]) -> int:
    """The bytes that deleting the files frees: "best" and "last" may be hard links to the same content."""
    status = [path.lstat() for path in files]
    going = Counter(each.st_ino for each in status)
    sizes = {each.st_ino: each.st_size for each in status if each.st_nlink <= going[each.st_ino]}
    return sum(sizes.values())
