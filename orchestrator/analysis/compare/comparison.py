"""What tells sweeps apart: their specs, code, data and versions, where they differ, and what came of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import Overview, objective_of, overview
from orchestrator.analysis.summary.progress import Progress, progress
from orchestrator.analysis.summary.ranking import Ranked, top
from orchestrator.analysis.time.ledger import Ledger, ledger_in
from orchestrator.errors import SpecError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import GitState, SweepInfo, read_sweep_json
from orchestrator.spec import parse_spec

_OWN = ("name", "parent")
"""Keys of a spec in which sweeps differ without being different."""

Row = tuple[Any, ...]
"""A value a sweep; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the sweeps."""

    info: SweepInfo
    spec: Mapping[str, Any]  # the effective one, with the defaults of today where it is older
    overview: Overview
    best: Ranked | None
    progress: Progress
    ledger: Ledger


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several sweeps side by side.

    Attributes:
        spec: Keys of the spec in which they differ; a parameter of the space is one key.
        origin: Likewise code, data, versions.
        trials, seconds: The most that all of them have: so far their results can be compared. None if they are not
            after the same.
    """

    sides: Sequence[Side]
    spec: Mapping[str, Row]
    origin: Mapping[str, Row]
    trials: int | None
    seconds: float | None


def compare(sweeps: Sequence[SweepPaths]) -> Comparison:
    """Read the records of sweeps and compare them.

    Raises:
        RecordsError: Records are damaged.
    """
    return comparison([_side(paths) for paths in sweeps])


def comparison(sides: Sequence[Side]) -> Comparison:
    """Put them side by side."""
    aims = {(side.progress.objective.metric, side.progress.objective.mode) for side in sides}
    alike = len(aims) == 1
    return Comparison(
        sides=sides,
        spec=_differing([dict(_keys(side.spec)) for side in sides]),
        origin=_differing([dict(_origin(side.info)) for side in sides]),
        trials=min(len(side.progress.ends) for side in sides) if alike else None,
        seconds=min(side.progress.seconds for side in sides) if alike else None,
    )


def _side(paths: SweepPaths) -> Side:
    info = read_sweep_json(paths.info)
    best = top(paths, info, 1)
    return Side(
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
    except SpecError:  # of another version
        return info.spec


def _differing(sides: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
    rows = {key: tuple(side.get(key) for side in sides) for side in sides for key in side}
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
        yield name, fingerprint[:17] if fingerprint.startswith("sha256 ") else fingerprint
    yield "runs on", info.engine
    yield "python", info.python
    yield from info.versions.items()


def _commit(git: GitState) -> str:
    commit = git.commit[:10] if git.commit else "no commit"
    return f"{commit} + changes {hashlib.sha256(git.diff.encode()).hexdigest()[:6]}" if git.diff else commit
