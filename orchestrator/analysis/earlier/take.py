"""Takes from earlier sweeps what a new one can learn, and says what it took, what not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.analysis.earlier.differences import Differences
from orchestrator.analysis.earlier.recorded import RecordedTrial, recorded_trials
from orchestrator.core.rows import Config
from orchestrator.core.rung_unit import recorded_unit
from orchestrator.core.search import Outcome
from orchestrator.core.search.earlier import Earlier, EarlierTrial, start_points
from orchestrator.expressions.expression import EvaluationError
from orchestrator.formatting import count
from orchestrator.records.find import find
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.space.space import Space
from orchestrator.space.values import canonical_json, is_number
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.max_step import max_rung
from orchestrator.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a new sweep learns from earlier ones, and a sentence about each of these."""

    earlier: tuple[Earlier, ...] = ()
    notes: tuple[str, ...] = ()


def take_earlier(source: Source, results: Path) -> Taken:
    """Take what the spec's ``search.from`` names; nothing if it names no sweep.

    Args:
        source: The new sweep.
        results: The results directory, in which sweeps are found by name.

    Raises:
        NoSuchSweepError: A sweep does not exist.
        RecordsError: The records of one are damaged.
    """
    if not source.spec.search.earlier:
        return Taken()
    now = fingerprints(source.code, source.spec, source.declaration, source.base)
    earlier: list[Earlier] = []
    notes = []
    for name in source.spec.search.earlier:
        paths = _found(name, source.base, results)
        found, note = _taken(paths, Differences(before=read_sweep_json(paths.info), source=source, now=now))
        earlier += found
        notes.append(note)
    return Taken(earlier=tuple(earlier), notes=tuple(notes))


def _found(name: str, base: Path, results: Path) -> SweepPaths:
    """A sweep's directory as a path from the spec's, or its name in the results."""
    beside = SweepPaths(base / name)
    return beside if beside.info.is_file() else find(results, name)


def _taken(paths: SweepPaths, differences: Differences) -> tuple[list[Earlier], str]:
    if differences.fatal:
        return [], f"learns nothing from {paths.name}: {differences.fatal}"
    spec = differences.source.spec
    trials = recorded_trials(paths, recorded_unit(differences.before.spec), spec.rung_unit)
    space = spec.parameter_space()
    most = max_rung(spec, differences.source.declaration) if spec.rung_unit == "seconds" else None
    left_out: Counter[str] = Counter()
    groups: dict[bool, list[EarlierTrial]] = {True: [], False: []}
    for trial in trials:
        why, config, same = _fitted(trial, space, differences)
        if config is None:
            left_out[why] += 1
        else:
            groups[same and not differences.mild].append(_earlier(trial, config, most))
    earlier = [
        Earlier(sweep=paths.name, comparable=comparable, trials=tuple(group))
        for comparable, group in groups.items()
        if group
    ]
    best = len(start_points(earlier, spec.objective.mode))
    return earlier, _note(paths.name, len(trials), groups, best, differences.mild, left_out)


def _earlier(trial: RecordedTrial, config: Config, most: int | None) -> EarlierTrial:
    """A trial in the terms of the new sweep. ``most``: a full training there in seconds, longer ones count as full."""
    values = {at if most is None else min(at, most): value for at, value in sorted(trial.values.items())}
    return EarlierTrial(config=config, outcome=trial.outcome, values=tuple(values.items()), train_s=trial.train_s)


def _fitted(trial: RecordedTrial, space: Space, differences: Differences) -> tuple[str, Config | None, bool]:
    """Why a trial is left out, its configuration in the new space, and whether all else about it is as it is now."""
    if trial.outcome is Outcome.RUNG and not trial.values:
        return "without a result", None, False
    old = {**differences.fixed_before, **trial.config}
    missing: list[str] = []
    outside: list[str] = []

    def value_of(name: str, distribution: Any) -> Any:
        value = old.get(name)
        if name not in old:
            missing.append(name)
        elif not _within(distribution, value):
            outside.append(name)
        else:
            return value
        return distribution.from_unit(0.5)

    try:
        config = space.draw(value_of)
        feasible = space.feasible(config)
    except EvaluationError:
        return "outside the space", None, False
    if missing:
        return f"without a known {missing[0]}", None, False
    if outside or not feasible:
        return "outside the space", None, False
    now = differences.fixed_now
    same = all(
        canonical_json(value) == canonical_json(now[name]) if name in now else name in space.parameters
        for name, value in trial.config.items()
    )
    return "", config, same


def _within(distribution: Any, value: Any) -> bool:
    """Whether a value lies in the range, on a step of it or not."""
    numeric = distribution.numeric
    if numeric is None or not is_number(value):
        return bool(distribution.contains(value))
    return bool(numeric.low <= value <= numeric.high)


def _note(
    name: str,
    of: int,
    groups: Mapping[bool, list[EarlierTrial]],
    best: int,
    mild: list[str],
    left_out: Mapping[str, int],
) -> str:
    whole, others = len(groups[True]), len(groups[False])
    parts = [f"{left} {why}" for why, left in left_out.items()]
    rest = f" (left out: {', '.join(parts)})" if parts else ""
    if not whole and not best:
        return f"learns nothing from {name}: none of its {count(of, 'trial')} fits{rest}"
    why = " and ".join(mild) or "a value that is fixed now was another"
    begins = f"begins with the best {best} of {others} {'more' if whole else 'trials'}, because {why}"
    if not whole:
        return f"learns from {name}: {begins}{rest}"
    taken = f"{whole} of {count(of, 'trial')}"
    return f"learns from {name}: {taken}{f'; {begins}' if best else ''}{rest}"
