"""Builds the sweep that trains the best configurations of another sweep again, several times with new seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.core.rows import Config
from orchestrator.errors import NoResultError, UserError
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.space.values import canonical_json
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.source import Source
from orchestrator.spec.writing import spec_yaml

SUFFIX = "-confirm"
LONGEST = 100
"""The longest name of a sweep, in characters."""


def confirming_sweep(
    paths: SweepPaths, info: SweepInfo, *, best: int, seeds: int, overrides: Sequence[str] = ()
) -> Source:
    """The confirming sweep, ready to launch: full trainings, with the directory and fixed values of the first sweep.

    Args:
        paths: The files of the sweep to confirm.
        info: The content of its sweep.json.
        best: The number of configurations.
        seeds: How often each configuration is trained.
        overrides: Values of ``--set``.

    Raises:
        SweepError: No trial has a result.
        UserError: The directory that the sweep was launched in is gone.
        SpecError: The recorded spec no longer fits the trainable, or the overrides have mistakes.
        RecordsError: The records are damaged.
    """
    base = Path(info.directory)
    if not base.is_dir():
        raise UserError(f"{info.name} was launched in {base}, which no longer exists; code and data were there")
    configs = _best(paths, info, best)
    if not configs:
        raise NoResultError(f"no trial of {info.name} has a result, so there is nothing to confirm")
    spec = parse_spec(_plain(info, configs, seeds), base=base, overrides=overrides, resolve=declared)
    head = f"# the best {count(len(configs), 'configuration')} of {info.name}, {count(seeds, 'time')} each with new"
    return Source(
        spec=spec,
        text=f"{head} seeds; written by sweep confirm\n{spec_yaml(spec)}".encode(),
        base=base.resolve(),
        declaration=declared(spec.trainable, base),
    )


def _best(paths: SweepPaths, info: SweepInfo, number: int) -> list[Config]:
    """The best configurations without duplicates."""
    found: dict[str, Config] = {}
    for ranked in best_trials(paths, info, None):
        found.setdefault(canonical_json(ranked.config), ranked.config)
    return list(found.values())[:number]


def _plain(info: SweepInfo, configs: Sequence[Config], seeds: int) -> dict[str, Any]:
    before = info.spec
    last = (before.get("scheduler") or {}).get("max")
    failures = before["budget"].get("max_failures")
    keep = before["trial"]["keep"]
    return before | {
        "name": info.name[: LONGEST - len(SUFFIX)] + SUFFIX,
        "parent": info.name,
        # Not the first sweep's seed, from which the seeds of its trials are derived.
        "search": {"method": "list", "seed": info.seed + 1, "configs": list(configs), "repeats": seeds},
        "space": {
            name: {key: value for key, value in distribution.items() if key != "prior"}
            for name, distribution in before["space"].items()
        },
        "scheduler": {"method": "none"} | ({} if last is None else {"max": last}),
        "budget": {} if failures is None else {"max_failures": failures},
        "trial": before["trial"]
        | {"keep": "best" if keep == "none" else keep},  # a checkpoint is needed to evaluate the winner
    }
