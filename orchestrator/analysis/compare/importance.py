"""Parameter importance: the share of the variation between trials that each parameter explains by itself.

fANOVA (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance") as Optuna
implements it, on the ranks of trials at a common step: with ranks, neither the objective's scale nor diverged trials
dominate. Each importance is the mean over bootstrap samples of the trials, with an interval. A conditional parameter is
judged by the trials that have it. docs/decisions/0008-importance-by-fanova.md lists the alternatives that were tried.
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
from orchestrator.spec.sections import DO_NOT_LEARN

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST = 15
"""The fewest trials, and the fewest trials with a given parameter, from which importance is estimated."""

SAMPLES = 40
"""Bootstrap samples; the interval excludes the two smallest and the two largest estimates."""

TREES = 4
"""Trees in the forest of each sample; half as many for the largest samples, whose trees are nearly identical."""

DEPTH = 5
"""Maximum depth of a tree. Deeper trees give the same estimates and take several times as long."""

LARGEST = 250
"""The most trials in a sample: more take longer and do not change the estimates. This widens the intervals."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """The importance of one parameter."""

    name: str
    share: float  # 0 to 1; the shares of parameters that every trial has sum to 1
    low: float  # of the interval that covers 90% of the bootstrap samples
    high: float
    trials: int  # that have the parameter


@dataclass(frozen=True, kw_only=True)
class Importance:
    """The importance of a sweep's parameters, the most important first."""

    common_step: CommonStep
    method: str  # the search method
    weights: tuple[Weight, ...]
    silent: Mapping[str, str] = field(default_factory=dict)  # parameter to why its importance is unknown

    def remarks(self) -> tuple[str, ...]:
        """How the importance was estimated and its limits, or why there is no estimate."""
        where = f"{self.common_step.sentence()}."
        if len(self.common_step.losses) < FEWEST:
            return where, f"Too few trials to estimate importance; at least {FEWEST} are needed."
        if not self.weights:
            return where, "The searched parameters do not explain how the trials differ."
        how = "Importance by fANOVA on ranks, with 90% bootstrap intervals."
        if self.method in DO_NOT_LEARN or not self.method:
            return where, how
        sampled = f"{self.method} samples mostly good regions, so effects elsewhere in the space are underestimated."
        return where, how, sampled


def importance_in(paths: SweepPaths, info: SweepInfo) -> Importance:
    """Estimate the importance of a sweep's parameters from its records.

    Raises:
        RecordsError: The records are damaged.
    """
    results = read_results(paths, info)
    names = ["trial", "train_s" if results.unit == "seconds" else "step", results.objective.metric]
    table = metrics_table(paths)
    reports = zip(*(table[name].to_pylist() for name in names if name in table.schema.names), strict=True)
    return importance_of(results, compare_at_common_step(results, reports if names[2] in table.schema.names else ()))


def importance_of(results: SweepResults, compared: CommonStep) -> Importance:
    """Estimate the importance of the parameters from the compared trials."""
    ranks = compared.ranks()
    configs = {each.trial: each.config for each in results.trials if each.trial in ranks}
    weights: list[Weight] = []
    silent: dict[str, str] = {}
    for names, trials in _groups(results.space, configs).items():
        if len(trials) < FEWEST:
            silent |= {name: f"only {len(trials)} of the trials have this parameter" for name in names}
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
    """Parameters grouped by the set of trials that have them."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in space:
        groups.setdefault(tuple(trial for trial, config in configs.items() if name in config), []).append(name)
    return {tuple(names): list(trials) for trials, names in groups.items()}


def weigh(space: Mapping[str, Distribution], trials: Sequence[tuple[Config, float]]) -> dict[str, Weight]:
    """The importance of each parameter; empty if the trials do not differ.

    Args:
        space: Parameters that every one of the trials has.
        trials: Each trial's configuration and the value to explain.
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
    """Optuna trials with numbers mapped to [0, 1]: Optuna's fANOVA ignores logarithmic scales."""
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
    study.get_trials = lambda **_: list(trials)  # the only method fANOVA calls; add_trials would deep-copy them
    evaluator = FanovaImportanceEvaluator(n_trees=trees, max_depth=DEPTH, seed=seed)
    try:
        shares: Mapping[str, float] = get_param_importances(study, evaluator=evaluator)
    except RuntimeError:  # no tree found a split
        return {}
    return shares


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]
