"""TPE: Optuna's tree-structured Parzen estimator, which learns from results.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023, arXiv:2304.11127, for
the multivariate kernels used here. Conditional parameters form groups. Running trials count as bad (the constant liar),
so that parallel trials do not cluster. Stopped trials count as pruned at their rung; Optuna ranks these below all
complete trials, by the step they reached. Diverged and failed ones count as pruned before their first value, which
Optuna ranks last.
"""

from __future__ import annotations

import random
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation, Outcome
from orchestrator.core.search.dimension import Dimension
from orchestrator.core.search.random import RandomSearch

if TYPE_CHECKING:
    from optuna.trial import Trial

    from orchestrator.spec import Distribution, Space

_PATIENCE = 20  # suggestions rejected before falling back to a random draw


class Tpe:
    """The method `tpe`.

    ``ask`` depends on (seed, trial number), and on the order in which trials began and ended.
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
            self._drop(trial.number)  # a running trial has the values of the space, which are rounded
            if accept(config):
                self.resume(number, config)
                return config
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
        """Add the result of a trial that has ended."""
        from optuna.trial import TrialState

        if observation.outcome is Outcome.RUNG:
            return
        self.forget(observation.number)
        if observation.outcome is Outcome.COMPLETED:
            self._add(observation.config, state=TrialState.COMPLETE, value=observation.value)
        else:
            reached = {} if observation.value is None else {observation.step: observation.value}
            self._add(observation.config, state=TrialState.PRUNED, intermediate_values=reached)

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
