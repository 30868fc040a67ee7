"""Keeps what a sweep has taken from earlier ones, beside its records: a resume needs the earlier sweeps no more."""

from __future__ import annotations

import json
from dataclasses import asdict

from orchestrator.core.search import Outcome
from orchestrator.core.search.earlier import Earlier, EarlierTrial
from orchestrator.errors import RecordsError
from orchestrator.records.atomic_files import replace_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import read_plain


def save_earlier(paths: SweepPaths, earlier: tuple[Earlier, ...]) -> None:
    """Write earlier.json, unless nothing was taken."""
    if earlier:
        replace_file(paths.earlier, json.dumps([asdict(each) for each in earlier]).encode())


def saved_earlier(paths: SweepPaths) -> tuple[Earlier, ...]:
    """What the sweep has taken at its launch.

    Raises:
        RecordsError: The file is damaged.
    """
    if not paths.earlier.is_file():
        return ()
    try:
        return tuple(
            Earlier(sweep=each["sweep"], comparable=each["comparable"], trials=tuple(map(_trial, each["trials"])))
            for each in json.loads(read_plain(paths.earlier))
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordsError(f"{paths.earlier} cannot be read: {error}") from error


def _trial(plain: dict[str, object]) -> EarlierTrial:
    values = plain["values"]
    if not isinstance(values, list):
        raise TypeError("values is no list")
    return EarlierTrial(
        config=plain["config"],  # type: ignore[arg-type]
        outcome=Outcome(str(plain["outcome"])),
        values=tuple((int(step), float(value)) for step, value in values),
        train_s=plain["train_s"],  # type: ignore[arg-type]
    )
