"""Plays a spec on given curves: the sweep that it describes runs to its end on the virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orchestrator.core.build import build_sweep
from orchestrator.core.ladder import ladder
from orchestrator.core.search.earlier import Earlier
from orchestrator.core.sweep import Sweep
from orchestrator.errors import UserError
from orchestrator.simulate.given_curves import CurveOf, GivenCurves
from orchestrator.simulate.virtual_clock import Outcome, simulate
from orchestrator.spec import Spec
from orchestrator.spec.checks import grace_period_too_long
from orchestrator.spec.max_step import UNDECLARED_LENGTH, max_rung
from trainables.declaration import Declaration, Hyperparameter

PROBES = 20
"""How many curves are looked at for the length of a training, if trainings fail."""

Build = Callable[[Spec, Declaration | None], Sweep]
"""Builds the sweep of a spec for a trainable with this declaration."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """A sweep that was played to its end."""

    sweep: Sweep
    outcome: Outcome


def play(
    spec: Spec,
    curve: CurveOf,
    *,
    workers: int,
    saves: bool = True,
    base: Path = Path(),
    earlier: Sequence[Earlier] = (),
    build: Build | None = None,
) -> Played:
    """Play a spec to its end. Only training takes time, and the clock begins at 0.

    Args:
        spec: A checked spec. The length of a training is the one it gives, else that of the first curve.
        curve: Gives the curve of a configuration, fixed values included.
        workers: How many trials run at once; ``resources.concurrency`` is a limit as well.
        saves: Whether a trial can pause, and continue where it was. If not, a further attempt begins anew.
        base: The spec's directory, from which the path of a search method starts.
        earlier: Trials of earlier sweeps, for the search to learn from.
        build: Builds the sweep, for methods that a spec cannot name; None: as a launch does.

    Raises:
        UserError: ``curve`` gives no curve, or the curves are too short for the scheduler.
    """
    if workers < 1:
        raise UserError(f"{workers} workers cannot run a trial: at least 1")
    if not callable(curve):
        raise UserError(f"curve must be a function of a configuration, not {type(curve).__name__}")
    build = build or partial(_as_launched, base, earlier)
    curves = GivenCurves(curve, objective=spec.objective.metric, fixed=dict(spec.fixed))
    declaration = _declared_length(spec, curves, build)
    _check_first_rung(spec, declaration)
    sweep = build(spec, declaration)
    slots = min(workers, spec.resources.concurrency or workers)
    return Played(sweep=sweep, outcome=simulate(sweep, curves.train, slots=slots, saves=saves))


def _as_launched(base: Path, earlier: Sequence[Earlier], spec: Spec, declaration: Declaration | None) -> Sweep:
    gpu = spec.resources.gpu
    gpus = 0.0 if isinstance(gpu, str) else gpu * spec.resources.workers
    return build_sweep(spec, declaration, base=base, gpus_per_trial=gpus, earlier=earlier)


def _declared_length(spec: Spec, curves: GivenCurves, build: Build) -> Declaration | None:
    """A declaration with the length of the first curve; None if the spec gives a length, or needs none."""
    if max_rung(spec, None) is not None or (spec.scheduler is not None and spec.scheduler.method == "none"):
        return None
    probe = build(spec, None)
    for _ in range(PROBES):
        start = probe.ask(0.0)
        if start is None:
            break
        length = curves.length(start)
        if length is not None:
            whole = Hyperparameter(name=UNDECLARED_LENGTH, type=int, default=length, meaning="steps of a full training")
            return Declaration(hyperparameters=(whole,), length=UNDECLARED_LENGTH)
    return None


def _check_first_rung(spec: Spec, declaration: Declaration | None) -> None:
    rungs = ladder(spec, declaration)
    if rungs is None or spec.scheduler is None or spec.scheduler.grace_period is None:
        return
    if rungs.grace_period >= rungs.max_step:
        problem = grace_period_too_long(spec.scheduler, rungs.max_step).removeprefix("grace_period ")
        raise UserError(f"scheduler.grace_period: {problem}; allowed: below {rungs.max_step}")
