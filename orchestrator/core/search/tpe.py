"""TPE: the tree-structured Parzen estimator of Optuna, which learns from the results.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023, arXiv:2304.11127, for
the multivariate kernels used here. Conditional parameters form groups. Running trials count as bad ones (the constant
liar), so that parallel trials do not crowd. Stopped trials are told as pruned at their rung, which Optuna ranks after
all complete ones, by how far they came.
"""

from __future__ import annotations

import random
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation
from orchestrator.core.search.dimension import Dimension
from orchestrator.core.search.random import RandomSearch

if TYPE_CHECKING:
    from optuna.trial import Trial

    from orchestrator.spec import Distribution, Space

_PATIENCE = 20  # suggestions that may be rejected before a random one is taken


class Tpe:
    """The method `tpe`.

    Asks depend on (seed, trial number), on what was told in which order, and on which trials run. A restart tells the
    same in the same order; only the place of running trials among them may differ, by which Optuna weighs old ones.
    """

    def __init__(self, space: Space, seed: int, mode: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._seed = seed
        self._fallback = RandomSearch(space, seed)
        self._study = optuna.create_study(direction="minimize" if mode == "min" else "maximize")
        self._dimensions = {name: Dimension(distribution) for name, distribution in space.parameters.items()}
        self._running: dict[int, int] = {}  # our trial number -> Optuna's

    def ask(self, number: int, accept: Accept) -> Config | None:
        """Optuna's suggestion, seeded for this trial; a random draw if it insists on what is not accepted."""
        draws = random.Random(f"{self._seed}/{number}")
        for _ in range(_PATIENCE):
            self._study.sampler = _sampler(draws.getrandbits(32))
            trial = self._study.ask()
            config = self._space.draw(partial(self._suggest, trial))
            if accept(config):
                self._running[number] = trial.number
                return config
            self._drop(trial.number)
        config_or_none = self._fallback.ask(number, accept)
        if config_or_none is not None:
            self.resume(number, config_or_none)
        return config_or_none

    def resume(self, number: int, config: Config) -> None:
        """Count it among the running ones."""
        from optuna.trial import TrialState

        self._add(config, state=TrialState.RUNNING)
        self._running[number] = len(self._study.get_trials(deepcopy=False)) - 1

    def tell(self, told: Observation) -> None:
        """Add a result."""
        from optuna.trial import TrialState

        self.forget(told.number)
        if told.step is None:
            self._add(told.config, state=TrialState.COMPLETE, value=told.value)
        else:
            self._add(told.config, state=TrialState.PRUNED, intermediate_values={told.step: told.value})

    def forget(self, number: int) -> None:
        """It does not run any more."""
        trial = self._running.pop(number, None)
        if trial is not None:
            self._drop(trial)

    def _suggest(self, trial: Trial, name: str, _: Distribution) -> Any:
        return self._dimensions[name].suggest(trial, name)

    def _drop(self, optuna_number: int) -> None:
        from optuna.trial import TrialState

        self._study.tell(optuna_number, state=TrialState.FAIL)  # the sampler looks past failed trials

    def _add(self, config: Config, **how: Any) -> None:
        from optuna.trial import create_trial

        params = {name: self._dimensions[name].encode(value) for name, value in config.items()}
        distributions = {name: self._dimensions[name].optuna for name in config}
        self._study.add_trial(create_trial(params=params, distributions=distributions, **how))


def _sampler(seed: int) -> Any:
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
