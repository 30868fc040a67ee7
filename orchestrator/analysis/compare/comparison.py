"""Compares sweeps: where their specs, code, data and versions differ, and the results of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import Overview, objective_of, overview
from orchestrator.analysis.summary.progress import Progress, progress
from orchestrator.analysis.summary.ranking import RankedTrial, best_trials
from orchestrator.analysis.time.ledger import Ledger, ledger_in
from orchestrator.errors import SpecError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import GitState, SweepInfo, read_sweep_json
from orchestrator.spec import parse_spec

_OWN = ("name", "parent")
"""Spec keys that always differ between sweeps and do not affect results."""

Values = tuple[Any, ...]
"""One value per sweep; None where a sweep has none."""


@dataclass(frozen=True, kw_only=True)
class ComparedSweep:
    """One of the sweeps, as read from its records."""

    info: SweepInfo
    spec: Mapping[str, Any]  # the effective spec, with current defaults for keys that an older one lacks
    overview: Overview
    best: RankedTrial | None
    progress: Progress
    ledger: Ledger


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several sweeps side by side.

    Attributes:
        spec: Spec keys whose values differ; each parameter of the space is one key.
        origin: Differences in code, data and versions.
        trials, seconds: The number of trials and the seconds that every sweep has, up to which results are compared.
            None if the sweeps optimise different objectives.
    """

    sweeps: Sequence[ComparedSweep]
    spec: Mapping[str, Values]
    origin: Mapping[str, Values]
    trials: int | None
    seconds: float | None


def compare(sweeps: Sequence[SweepPaths]) -> Comparison:
    """Read the records of sweeps and compare them.

    Raises:
        RecordsError: Records are damaged.
    """
    return comparison([_read_sweep(paths) for paths in sweeps])


def comparison(sweeps: Sequence[ComparedSweep]) -> Comparison:
    """Find the differences between sweeps that have been read."""
    aims = {(sweep.progress.objective.metric, sweep.progress.objective.mode) for sweep in sweeps}
    alike = len(aims) == 1
    return Comparison(
        sweeps=sweeps,
        spec=_differing([dict(_keys(sweep.spec)) for sweep in sweeps]),
        origin=_differing([dict(_origin(sweep.info)) for sweep in sweeps]),
        trials=min(len(sweep.progress.ends) for sweep in sweeps) if alike else None,
        seconds=min(sweep.progress.seconds for sweep in sweeps) if alike else None,
    )


def _read_sweep(paths: SweepPaths) -> ComparedSweep:
    info = read_sweep_json(paths.info)
    best = best_trials(paths, info, 1)
    return ComparedSweep(
        info=info,
        spec=_spec(paths, info),
        overview=overview(paths),
        best=best[0] if best else None,
        progress=progress(paths, objective_of(info)),
        ledger=ledger_in(paths, info),
    )


def _spec(paths: SweepPaths, info: SweepInfo) -> Mapping[str, Any]:
    try:
        return parse_spec(info.spec, base=paths.root).to_plain()
    except SpecError:  # written by another version
        return info.spec


def _differing(sweeps: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
    rows = {key: tuple(sweep.get(key) for sweep in sweeps) for sweep in sweeps for key in sweep}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}


def _keys(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in spec.items():
        if key in _OWN:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def _origin(info: SweepInfo) -> Iterator[tuple[str, Any]]:
    yield "code", None if info.git is None else _commit(info.git)
    yield "snapshot", info.snapshot[:10] or None
    for name, fingerprint in info.fingerprints.items():
        kind, sha256, digits = fingerprint.partition("sha256 ")
        yield name, f"{kind}{sha256}{digits[:10]}"
    yield "runs on", info.engine
    yield "python", info.python
    yield from info.versions.items()


def _commit(git: GitState) -> str:
    commit = git.commit[:10] if git.commit else "no commit"
    return f"{commit} + changes {hashlib.sha256(git.diff.encode()).hexdigest()[:6]}" if git.diff else commit
