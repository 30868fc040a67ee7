"""What a recorded sweep would have found under other settings, on the curves that it recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.analysis.earlier.saved import saved_earlier
from orchestrator.analysis.earlier.take import take_earlier
from orchestrator.analysis.time.step_time import saved_state
from orchestrator.analysis.what_if.progress import Progress, most_at_once, of_outcome, of_records
from orchestrator.core.rows import State
from orchestrator.core.search.earlier import Earlier
from orchestrator.errors import DamagedError, UserError
from orchestrator.records.decode import trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.simulate.neighbours import KnownCurve, NeighbourCurves, Trust
from orchestrator.simulate.play import play
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.source import Source

FEWEST = 5
"""Curves below which nothing is predicted."""

LONGEST = 10_000
"""Steps of the longest curve that is simulated."""


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """A recorded sweep beside simulated ones.

    Attributes:
        workers: Trials at once in the simulated sweeps with the changed settings.
        recorded_workers: In the recorded sweep, and in the simulated ones with its settings.
        recorded: What was recorded.
        same: Simulated sweeps with the recorded settings, one a seed.
        changed: Simulated sweeps with the changed settings; empty if nothing was changed.
        exact: The share of the trials of all simulated sweeps whose configuration was recorded.
        trust: How well recorded results are predicted from the other trials.
        ended_by: Why the last sweep with the changed settings ended early.
        saves: Whether the trials saved their state, as far as the records show: then simulated ones can pause.
    """

    workers: int
    recorded_workers: int
    recorded: Progress
    same: tuple[Progress, ...]
    changed: tuple[Progress, ...]
    exact: float
    trust: Trust
    ended_by: str | None
    saves: bool


def what_if(paths: SweepPaths, info: SweepInfo, *, overrides: Sequence[str], workers: int | None, seeds: int) -> WhatIf:
    """Simulate a recorded sweep with its own settings and with changed ones.

    Args:
        paths: The files of the sweep.
        info: What it recorded of itself.
        overrides: Changes to its spec, as for ``--set``.
        workers: Trials at once; None: as many as ran at once.
        seeds: How often each is simulated: with search.seed, and the numbers that follow it.

    Raises:
        SpecError: A change is a mistake.
        UserError: Too few trials have curves, or too long ones.
        RecordsError: The records are damaged.
    """
    base = Path(info.directory)
    before = parse_spec(info.spec, base=base)
    after = parse_spec(info.spec, base=base, overrides=overrides)
    ran = most_at_once(events_table(paths, ["at", "trial", "event", "reason"]).to_pylist())
    asked = workers or ran
    metric, mode = before.objective.metric, before.objective.mode
    if after.objective.metric != metric:
        raise UserError(f"{paths.name} was searched by {metric}; its curves cannot be judged by another metric")
    curves = known_curves(paths, before)
    models = [NeighbourCurves(spec.parameter_space(), curves, metric) for spec in (before, after)]
    saves = saved_state(paths)

    def simulated(spec: Spec, model: NeighbourCurves, workers: int) -> tuple[tuple[Progress, ...], str | None]:
        if spec.search.earlier == before.search.earlier:
            earlier = saved_earlier(paths)
        else:
            earlier = take_earlier(Source(spec=spec, text=b"", base=base, declaration=None), paths.root.parent).earlier
        return _simulated(spec, model, workers, seeds, saves=saves, base=base, earlier=earlier)

    same, _ = simulated(before, models[0], ran)
    changed, ended_by = simulated(after, models[1], asked) if after != before or asked != ran else ((), None)
    exact, predicted = (sum(getattr(model, which) for model in models) for which in ("exact", "predicted"))
    return WhatIf(
        workers=asked,
        recorded_workers=ran,
        recorded=of_records(paths, metric, mode),
        same=same,
        changed=changed,
        exact=exact / max(1, exact + predicted),
        trust=models[0].trust(),
        ended_by=ended_by,
        saves=saves,
    )


def _simulated(
    spec: Spec,
    model: NeighbourCurves,
    workers: int,
    seeds: int,
    *,
    saves: bool,
    base: Path,
    earlier: Sequence[Earlier],
) -> tuple[tuple[Progress, ...], str | None]:
    found, ended_by = [], None
    for seed in range(spec.search.seed, spec.search.seed + seeds):
        seeded = spec.model_copy(update={"search": spec.search.model_copy(update={"seed": seed})})
        played = play(seeded, model, workers=workers, saves=saves, base=base, earlier=earlier)
        found.append(of_outcome(played.outcome, spec.objective.metric, spec.objective.mode))
        ended_by = played.sweep.halted
    return tuple(found), ended_by


def known_curves(paths: SweepPaths, spec: Spec) -> list[KnownCurve]:
    """The curves of a sweep's trials, and which of them failed at once.

    Raises:
        UserError: Too few trials have curves, or too long ones.
        RecordsError: The records are damaged.
    """
    import numpy as np

    metric = spec.objective.metric
    kinds = {name: distribution.kind for name, distribution in spec.distributions().items()}
    table = metrics_table(paths, ["trial", "step", "train_s", metric]).to_pydict()
    if metric not in table:
        raise DamagedError(f"{paths.metrics} is damaged: it has no column {metric}, the objective")
    reports: dict[int, list[tuple[int, float, float]]] = {}
    for trial, step, seconds, value in zip(*table.values(), strict=True):
        if value is not None and np.isfinite(value) and step > 0:
            reports.setdefault(trial, []).append((step, seconds, value))
    found = []
    for row in trial_rows(trials_table(paths), kinds, paths.trials_table):
        if row.trial in reports:
            steps, seconds, values = (np.array(each, dtype=float) for each in zip(*reports[row.trial], strict=True))
            if steps[-1] > LONGEST:
                raise UserError(f"trial {row.trial} has {steps[-1]:,.0f} steps; at most {LONGEST:,} are simulated")
            every = np.arange(1, int(steps[-1]) + 1)
            found.append(
                KnownCurve(
                    trial=row.trial,
                    config=row.config,
                    seconds=np.interp(every, [0, *steps], [0, *seconds]),
                    values=np.interp(every, steps, values),
                    diverged=row.state is State.DIVERGED,
                )
            )
        elif row.state is State.FAILED and row.failure is not None:
            why = f"{row.failure.type}: {row.failure.message}"
            found.append(
                KnownCurve(trial=row.trial, config=row.config, seconds=np.array([]), values=np.array([]), failed=why)
            )
    if sum(not curve.failed for curve in found) < FEWEST:
        raise UserError(f"{paths.name} has fewer than {FEWEST} trials with reports of {metric}: nothing can be learned")
    return found
