"""TPE: Optuna's tree-structured Parzen estimator, which learns from results.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023, arXiv:2304.11127, for
the multivariate kernels used here. Conditional parameters form groups. Running trials count as bad (the constant liar),
so that parallel trials do not cluster. Stopped trials count as pruned at their rung; Optuna ranks these below all
complete trials, by the step they reached.
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

_PATIENCE = 20  # suggestions rejected before falling back to a random draw


class Tpe:
    """The method `tpe`.

    ``ask`` depends on (seed, trial number), on the results in order, and on the running trials. A restart repeats the
    results in the same order; only the positions of running trials among them may differ, which changes the weights
    that Optuna gives to old trials.
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
        """Optuna's suggestion, seeded for this trial; a random draw if too many suggestions are rejected."""
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
        """Add the trial to Optuna's running ones."""
        from optuna.trial import TrialState

        self._add(config, state=TrialState.RUNNING)
        self._running[number] = len(self._study.get_trials(deepcopy=False)) - 1

    def tell(self, observation: Observation) -> None:
        """Add a result."""
        from optuna.trial import TrialState

        self.forget(observation.number)
        if observation.step is None:
            self._add(observation.config, state=TrialState.COMPLETE, value=observation.value)
        else:
            intermediate = {observation.step: observation.value}
            self._add(observation.config, state=TrialState.PRUNED, intermediate_values=intermediate)

    def forget(self, number: int) -> None:
        """Remove the trial from Optuna's running ones."""
        trial = self._running.pop(number, None)
        if trial is not None:
            self._drop(trial)

    def _suggest(self, trial: Trial, name: str, _: Distribution) -> Any:
        return self._dimensions[name].suggest(trial, name)

    def _drop(self, optuna_number: int) -> None:
        from optuna.trial import TrialState

        self._study.tell(optuna_number, state=TrialState.FAIL)  # the sampler ignores failed trials

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
