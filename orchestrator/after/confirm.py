"""The sweep that tries the best configurations of another once more, several times with fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.core.rows import Config
from orchestrator.errors import SweepError, UserError
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
"""Characters of a sweep's name."""


def confirmation(paths: SweepPaths, info: SweepInfo, *, best: int, seeds: int, overrides: Sequence[str] = ()) -> Source:
    """The sweep, ready to be launched: every training in full, in the directory of the first, with its fixed values.

    Args:
        paths: The files of the sweep whose best are to be confirmed.
        info: What its sweep.json holds.
        best: How many configurations.
        seeds: How often each is trained.
        overrides: ``--set`` texts.

    Raises:
        SweepError: No trial has a result.
        UserError: The directory in which it was launched is gone.
        SpecError: What was recorded does not fit the trainable any more, or the overrides have mistakes.
        RecordsError: The records are damaged.
    """
    base = Path(info.directory)
    if not base.is_dir():
        raise UserError(f"{info.name} was launched in {base}, where its trainable and data are; there is no such place")
    configs = _best(paths, info, best)
    if not configs:
        raise SweepError(f"no trial of {info.name} has a result, so there is nothing to confirm")
    spec = parse_spec(_plain(info, configs, seeds), base=base, overrides=overrides, resolve=declared)
    head = f"# {count(len(configs), 'configuration')} of {info.name}, the best, {count(seeds, 'time')} each with fresh"
    return Source(
        spec=spec,
        text=f"{head} seeds; written by sweep confirm\n{spec_yaml(spec)}".encode(),
        base=base.resolve(),
        declaration=declared(spec.trainable, base),
    )


def _best(paths: SweepPaths, info: SweepInfo, number: int) -> list[Config]:
    """The best configurations, each once."""
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
        # Another seed than the first sweep's: a trial's own comes from it and from the trial's number.
        "search": {"method": "list", "seed": info.seed + 1, "configs": list(configs), "repeats": seeds},
        "scheduler": {"method": "none"} | ({} if last is None else {"max": last}),
        "budget": {} if failures is None else {"max_failures": failures},
        "trial": before["trial"] | {"keep": "best" if keep == "none" else keep},  # the winner is to be scored
    }
