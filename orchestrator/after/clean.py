"""Deletes checkpoints not covered by trial.keep, from sweeps that are not running; never touches records.

A driver does the same whenever a trial ends. What remains for this module: checkpoints of a driver that was killed,
partial and damaged files, and checkpoints that the user no longer wants to keep.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.analysis.summary.kept_checkpoint import keep_of
from orchestrator.analysis.summary.overview import Objective, objective_of
from orchestrator.control.hold_lease import hold_lease
from orchestrator.core.rows import State
from orchestrator.driver.checkpoint_retention import to_keep
from orchestrator.errors import RecordsError
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from trainables.checkpoints.files import Keep, surplus, tidy
from trainables.checkpoints.saved_files import below


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """The surplus checkpoints of one trial."""

    trial: int
    state: State
    keep: Keep  # what is kept
    directory: Path
    files: tuple[Path, ...]  # and directories, with all that is in them
    size: int  # bytes of disk space that deleting them frees


def surplus_of(paths: SweepPaths, keep: str | None = None) -> list[Surplus]:
    """The checkpoints that a sweep that is not running need not keep, by trial.

    :func:`orchestrator.driver.checkpoint_retention.to_keep` decides what stays.

    Args:
        paths: The sweep's files.
        keep: Overrides the spec's trial.keep.

    Raises:
        RecordsError: The records or the checkpoints cannot be read.
    """
    info = read_sweep_json(paths.info)
    table = trials_table(paths, ["trial", "state", "objective"]).to_pylist()
    policy = keep_of(info, keep)
    leaders, found = _leaders(table, objective_of(info), policy.ranked), []
    for row in table:
        trial, state = row["trial"], State(row["state"])
        stays = to_keep(state, policy, leads=trial in leaders)
        directory = paths.checkpoints(trial)
        try:
            files = surplus(directory, stays)
            if files:
                size = _freed(files)
                found.append(
                    Surplus(
                        trial=trial,
                        state=state,
                        keep=stays,
                        directory=directory,
                        files=tuple(sorted(files)),
                        size=size,
                    )
                )
        except OSError as error:
            raise RecordsError(f"cannot read {directory}: {error.strerror or error}") from error
    return found


def clean(
    paths: SweepPaths, keep: str | None = None, *, waiting: Callable[[str], None] = lambda sentence: None
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


def _leaders(rows: Sequence[Mapping[str, Any]], objective: Objective, count: int) -> set[int]:
    """The best trials whose result stands, by rows of the table of trials."""
    sign = 1 if objective.mode == "min" else -1
    settled = [row for row in rows if State(row["state"]).settled and row["objective"] is not None]
    return {row["trial"] for row in sorted(settled, key=lambda row: (sign * row["objective"], row["trial"]))[:count]}


def _freed(surplus: list[Path]) -> int:
    """The bytes that deleting these frees: "best" and "last" may be hard links to the same content."""
    status = [path.lstat() for each in surplus for path in (each, *below(each))]
    status = [each for each in status if not stat.S_ISDIR(each.st_mode)]
    going = Counter(each.st_ino for each in status)
    sizes = {each.st_ino: each.st_size for each in status if each.st_nlink <= going[each.st_ino]}
    return sum(sizes.values())
