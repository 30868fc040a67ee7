"""Builds the sweep that trains the best configurations of another sweep again, several times with new seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orchestrator.after.written_spec import written_spec
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.core.rows import Config
from orchestrator.core.rung_unit import recorded_unit
from orchestrator.errors import NoResultError
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.project import given_again, project_directory
from orchestrator.records.provenance import SweepInfo
from orchestrator.space.values import canonical_json
from orchestrator.spec.source import Source

SUFFIX = "-confirm"
LONGEST = 100
"""The longest name of a sweep, in characters."""


def confirming_sweep(
    paths: SweepPaths,
    info: SweepInfo,
    *,
    best: int,
    seeds: int,
    overrides: Sequence[str] = (),
    project: Path | None = None,
    train: Callable[..., Any] | None = None,
) -> Source:
    """The confirming sweep, ready to launch: full trainings, with the directory and fixed values of the first sweep.

    Args:
        paths: The files of the sweep to confirm.
        info: The content of its sweep.json.
        best: The number of configurations.
        seeds: How often each configuration is trained.
        overrides: Values of ``--set``.
        project: Where code and data are now; None: where they were, or where they have moved along with the sweep.
        train: The trainable, if it is given from Python; None: as recorded.

    Raises:
        SweepError: No trial has a result.
        UserError: The directory that the sweep was launched in is gone, or only Python can give its trainable again.
        SpecError: The recorded spec no longer fits the trainable, or the overrides have mistakes.
        RecordsError: The records are damaged.
    """
    base = project_directory(paths, info, project)
    configs = _best(paths, info, best)
    if not configs:
        raise NoResultError(f"no trial of {paths.name} has a result, so there is nothing to confirm")
    if train is None:
        train = given_again(paths.name, info, base, how=f"orchestrator.confirm({str(paths.root)!r}, {{train}})")
    head = (
        f"the best {count(len(configs), 'configuration')} of {paths.name}, {count(seeds, 'time')} each with new seeds"
    )
    plain = _plain(paths.name, info, configs, seeds)
    return written_spec(plain, f"{head}; written by sweep confirm", base, train, overrides=overrides)


def _best(paths: SweepPaths, info: SweepInfo, number: int) -> list[Config]:
    """The best configurations without duplicates."""
    found: dict[str, Config] = {}
    for ranked in best_trials(paths, info, None):
        found.setdefault(canonical_json(ranked.config), ranked.config)
    return list(found.values())[:number]


def _plain(name: str, info: SweepInfo, configs: Sequence[Config], seeds: int) -> dict[str, Any]:
    before = info.spec
    scheduler, trial = before.get("scheduler") or {}, before["trial"]
    last = scheduler.get("max")
    if last is not None and recorded_unit(before) == "seconds":
        trial, last = trial | {"max_time": min(last, trial.get("max_time") or last)}, None
    failures = before["budget"].get("max_failures")
    return before | {
        "name": name[: LONGEST - len(SUFFIX)] + SUFFIX,
        "parent": name,
        # Not the first sweep's seed, from which the seeds of its trials are derived.
        "search": {"method": "list", "seed": info.seed + 1, "configs": list(configs), "repeats": seeds},
        "space": {
            name: {key: value for key, value in distribution.items() if key not in ("prior", "weights")}
            for name, distribution in before["space"].items()
        },
        "scheduler": {"method": "none"} | ({} if last is None else {"max": last}),
        "budget": {} if failures is None else {"max_failures": failures},
        # A checkpoint is needed to evaluate the winner, and each training needs a seed of its own.
        "trial": {key: value for key, value in trial.items() if key != "seed" and (key, value) != ("keep", "none")},
    }
