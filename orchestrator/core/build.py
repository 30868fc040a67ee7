"""Builds the state machine that a spec describes: its search, its scheduler, its limits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from orchestrator.core.audit import Audit
from orchestrator.core.gpu_packing import GpuShares
from orchestrator.core.ladder import scheduler_of
from orchestrator.core.limits import Limits
from orchestrator.core.reuse import Trainings, training_key
from orchestrator.core.schedulers import Scheduler
from orchestrator.core.search import Search
from orchestrator.core.search.define_by_run import DefineByRun
from orchestrator.core.search.earlier import Earlier, start_points, teach
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.search.sequence import Walk, grid, listed
from orchestrator.core.step_unit import full_training
from orchestrator.core.sweep import Sweep
from orchestrator.errors import UserError
from orchestrator.spec import Space, Spec
from orchestrator.spec.max_step import max_rung, max_seconds
from orchestrator.spec.sections import GROW
from orchestrator.spec.trial_resources import TrialResources
from trainables.declaration import Declaration

DEFAULT_TRIALS = 20
"""Trials of a spec without a budget, unless the method ends by itself."""

MAX_CELLS = 100_000
"""A grid with more cells is refused as a mistake, unless a budget limits it."""


def trial_count(spec: Spec, space: Space) -> int | None:
    """The most trials that the sweep can have; None if another budget ends it, and the method does not.

    Raises:
        UserError: The grid has too many cells to count, and no budget limits it.
    """
    allowed = spec.budget.trials
    end = _end_of_method(spec, space, MAX_CELLS if allowed is None else min(allowed, MAX_CELLS))
    if allowed is not None:
        return allowed if end is None or end > MAX_CELLS else min(allowed, end)
    if end is None:
        return None if spec.budget.open_ended else DEFAULT_TRIALS
    if end > MAX_CELLS and spec.search.method == "grid":
        if spec.budget.open_ended:
            return None
        raise UserError(f"the grid has more than {MAX_CELLS:,} cells: make it coarser, or set budget.trials")
    return end


def _end_of_method(spec: Spec, space: Space, limit: int) -> int | None:
    """The number of configurations of a grid (counted up to ``limit`` + 1) or a list; None for other methods."""
    if spec.search.method == "list" and isinstance(spec.search.configs, list):
        return len(spec.search.start) + len(spec.search.configs) * spec.search.repeats
    if spec.search.method == "grid":
        return sum(1 for _ in itertools.islice(space.cells() or (), limit + 1)) * spec.search.repeats
    return None


def build_sweep(
    spec: Spec,
    declaration: Declaration | None,
    *,
    base: Path = Path(),
    gpus_per_trial: float = 0.0,
    ahead: Callable[[Search, int | None], Search] | None = None,
    earlier: Sequence[Earlier] = (),
    trainings: Trainings = MappingProxyType({}),
    search: Search | None = None,
    scheduler: Scheduler | None = None,
) -> Sweep:
    """The sweep that a spec describes, not yet begun.

    Args:
        spec: A checked spec.
        declaration: What the trainable declares.
        base: The spec's directory, from which the path of a search method starts.
        gpus_per_trial: The resolved `resources.gpu` of all ranks, for budgets in GPU-hours; the mean if trials differ.
        ahead: Given a search method that learns and the number of trials, returns one that proposes the same without
            keeping its caller waiting; None: proposals are computed when they are asked for.
        earlier: Trials of earlier sweeps, for the search to learn from.
        trainings: Trainings of earlier sweeps, to be taken over.
        search: Used instead of the one that the spec describes.
        scheduler: Likewise.
    """
    space = spec.parameter_space()
    limits = limits_of(spec, space, gpus_per_trial=gpus_per_trial)
    space.open = declaration is not None and declaration.define_by_run and spec.search.method in GROW
    if search is None:
        make = partial(_search, spec, base=base, last=max_rung(spec, declaration))
        search = DefineByRun(space, make) if space.open else make(space)
        teach(search, earlier)
    if ahead is not None and not isinstance(search, Walk | RandomSearch):
        search = ahead(search, limits.trials)
    return Sweep(
        space=space,
        search=search,
        scheduler=scheduler_of(spec, declaration) if scheduler is None else scheduler,
        objective=spec.objective,
        limits=limits,
        seed=spec.search.seed,
        trial_seed=spec.trial.seed,
        trained=lambda config, trial_seed: (
            None if space.open else trainings.get(training_key(space.given(config), trial_seed))
        ),
        start=[*map(space.canonical, spec.search.start), *start_points(earlier, spec.objective.mode)],
        asks=TrialResources(spec, space).of,
        gpu_shares=GpuShares(gpus_per_trial, packed=spec.resources.gpu == "packed"),
        audit=Audit((spec.scheduler and spec.scheduler.audit) or 0.0, spec.search.seed),
        full_training=full_training(spec, declaration),
        unit=spec.rung_unit,
        leaders=spec.keep.ranked,
    )


def limits_of(spec: Spec, space: Space, *, gpus_per_trial: float = 0.0) -> Limits:
    """The budgets of the sweep. GPU-hours alone do not limit trials without a GPU, so the default number then does.

    Raises:
        UserError: As for ``trial_count``.
    """
    budget, most_s = spec.budget, max_seconds(spec)
    trials = trial_count(spec, space)
    if trials is None and not gpus_per_trial and budget.hours is budget.target is budget.patience is None:
        trials = DEFAULT_TRIALS
    return Limits(
        trials=trials,
        seconds=None if budget.hours is None else budget.hours * 3600,
        gpu_seconds=None if budget.gpu_hours is None else budget.gpu_hours * 3600,
        gpus_per_trial=gpus_per_trial,
        target=budget.target,
        patience=budget.patience,
        min_gain=budget.min_gain or 0.0,
        failures=budget.max_failures,
        retries=spec.trial.retries,
        max_step=enforced_max(spec),
        trial_seconds=most_s,
        trial_seconds_key="trial.max_time" if most_s == spec.trial.max_time else "scheduler.max",
    )


def enforced_max(spec: Spec) -> int | None:
    """The step at which the sweep ends a trial: scheduler.max; None: the trainable ends by itself, or time ends it."""
    return None if spec.scheduler is None or spec.scheduler.in_seconds else spec.scheduler.max


def _search(spec: Spec, space: Space, *, base: Path, last: int | None) -> Search:
    seed, mode = spec.search.seed, spec.objective.mode
    match spec.search.method:
        case "auto":
            from orchestrator.core.search.auto.method import Auto

            return Auto(space, seed, mode, last)
        case "grid":
            return grid(space, spec.search.repeats)
        case "list":
            configs = spec.search.configs
            assert isinstance(configs, list)
            return listed([space.canonical(config) for config in configs], spec.search.repeats)
        case "sobol":
            from orchestrator.core.search.sobol import sobol

            return sobol(space, seed)
        case "random":
            return RandomSearch(space, seed)
        case "tpe":
            from orchestrator.core.search.optuna_sampler import tpe

            return tpe(space, seed, mode)
        case "optuna":
            from orchestrator.core.search.optuna_sampler import OptunaSampler

            assert spec.search.sampler is not None
            return OptunaSampler(space, seed, mode, spec.search.sampler, spec.search.options)
        case own:
            from orchestrator.core.search.own_method import OwnMethod
            from orchestrator.spec.load_search import own_method

            return OwnMethod(space, seed, mode, own_method(own, base), spec.search.options, name=own)
