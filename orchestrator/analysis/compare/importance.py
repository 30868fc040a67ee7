"""How much each parameter matters: the share of the differences between trials that it explains by itself.

fANOVA (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance") as Optuna
has it, on the ranks of trials at a common step, so that neither the scale of the objective nor what diverged drowns
the rest. Each figure is the mean over bootstrap samples of the trials, and comes with an interval. A conditional
parameter is weighed among the trials that have it. docs/decisions/0008-importance-by-fanova.md has what else was tried.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.analysis.compare.common_step import CommonStep, compare_at_common_step
from orchestrator.analysis.summary.results import SweepResults, read_results
from orchestrator.core.rows import Config
from orchestrator.records.load import metrics_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.space.distribution import Distribution

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST = 15
"""Fewer trials than this, of which all or those that have a parameter, say nothing of it."""

SAMPLES = 40
"""Bootstrap samples; the interval leaves out the two smallest and the two largest figures."""

TREES = 4
"""Of the forest of each sample; half as many of the largest samples, whose trees are all alike."""

DEPTH = 5
"""Of a tree. Deeper ones give the same figures, and take several times as long."""

LARGEST = 250
"""Trials in a sample at most: beyond that, time grows and figures do not change. It makes the intervals too wide."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """How much a parameter matters."""

    name: str
    share: float  # 0 to 1; those of parameters that all trials have sum up to 1
    low: float  # of 90 % of the bootstrap samples
    high: float
    trials: int  # that have it


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Of all parameters of a sweep, the weightiest first."""

    common_step: CommonStep
    method: str  # of the search
    weights: tuple[Weight, ...]
    silent: Mapping[str, str] = field(default_factory=dict)  # parameter to why there is no figure

    def remarks(self) -> tuple[str, ...]:
        """How it was found, and what it cannot say; or why there are no figures."""
        where = f"{self.common_step.sentence()}."
        if len(self.common_step.losses) < FEWEST:
            return where, f"That is too few to say what matters: {FEWEST} are needed."
        if not self.weights:
            return where, "They do not differ by what was searched."
        how = "Shares by fANOVA on their ranks; intervals of 90% of the bootstrap samples."
        if self.method != "tpe":
            return where, how
        return where, how, "tpe looked mostly where it was good; what a parameter does elsewhere weighs too little."


def importance_in(paths: SweepPaths, info: SweepInfo) -> Importance:
    """Weigh the parameters of a sweep by its records.

    Raises:
        RecordsError: The records are damaged.
    """
    results = read_results(paths, info)
    names = ["trial", "step", results.objective.metric]
    table = metrics_table(paths)
    reports = zip(*(table[name].to_pylist() for name in names if name in table.schema.names), strict=True)
    return importance_of(results, compare_at_common_step(results, reports if names[2] in table.schema.names else ()))


def importance_of(results: SweepResults, compared: CommonStep) -> Importance:
    """Weigh the parameters by how trials compare."""
    ranks = compared.ranks()
    configs = {each.trial: each.config for each in results.outcomes if each.trial in ranks}
    weights: list[Weight] = []
    silent: dict[str, str] = {}
    for names, trials in _groups(results.space, configs).items():
        if len(trials) < FEWEST:
            silent |= {name: f"only {len(trials)} of the trials have it" for name in names}
            continue
        space = {name: each for name, each in results.space.items() if all(name in configs[trial] for trial in trials)}
        found = weigh(space, [(configs[trial], ranks[trial]) for trial in trials])
        weights += [found[name] for name in names if name in found]
    return Importance(
        common_step=compared,
        method=results.method,
        weights=tuple(sorted(weights, key=lambda weight: -weight.share)),
        silent=silent if weights else {},
    )


def _groups(space: Mapping[str, Distribution], configs: Mapping[int, Config]) -> dict[tuple[str, ...], list[int]]:
    """Parameters that the same trials have, and these trials."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in space:
        groups.setdefault(tuple(trial for trial, config in configs.items() if name in config), []).append(name)
    return {tuple(names): list(trials) for trials, names in groups.items()}


def weigh(space: Mapping[str, Distribution], trials: Sequence[tuple[Config, float]]) -> dict[str, Weight]:
    """The weight of each parameter; none if the trials do not differ.

    Args:
        space: Parameters that each of the trials has.
        trials: Configurations, and what is to be explained.
    """
    known = _as_optuna(space, trials)
    draws = random.Random(0)
    found: dict[str, list[float]] = {name: [] for name in space}
    for sample in range(SAMPLES):
        drawn = draws.choices(known, k=min(len(known), LARGEST))
        for name, share in _shares(drawn, TREES if len(drawn) < LARGEST else TREES // 2, sample).items():
            found[name].append(float(share))
    return {
        name: Weight(
            name=name,
            share=sum(shares) / len(shares),
            low=_quantile(shares, 0.05),
            high=_quantile(shares, 0.95),
            trials=len(trials),
        )
        for name, shares in found.items()
        if shares
    }


def _as_optuna(space: Mapping[str, Distribution], trials: Sequence[tuple[Config, float]]) -> list[FrozenTrial]:
    """Numbers as their places in their ranges: Optuna's fANOVA knows no logarithmic scales."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    def is_word(name: str) -> bool:
        return space[name].numeric is None and not getattr(space[name], "ordered", True)

    def coordinate(name: str, value: Any) -> float | int:
        place = space[name].to_unit(value)
        return int(place * len(space[name].values() or ())) if is_word(name) else place

    axes = {
        name: CategoricalDistribution(range(len(each.values() or ()))) if is_word(name) else FloatDistribution(0.0, 1.0)
        for name, each in space.items()
    }
    return [
        create_trial(params={name: coordinate(name, config[name]) for name in space}, distributions=axes, value=value)
        for config, value in trials
    ]


def _shares(trials: Sequence[FrozenTrial], trees: int, seed: int) -> Mapping[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    study.get_trials = lambda **_: list(trials)  # all that is asked of it; adding trials would copy them deeply
    evaluator = FanovaImportanceEvaluator(n_trees=trees, max_depth=DEPTH, seed=seed)
    try:
        shares: Mapping[str, float] = get_param_importances(study, evaluator=evaluator)
    except RuntimeError:  # no tree has found a difference
        return {}
    return shares


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]
