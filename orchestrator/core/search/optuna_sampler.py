"""The methods `optuna`, any sampler of Optuna, and `tpe`, its tree-structured Parzen estimator.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023, arXiv:2304.11127, for
the multivariate kernels that `tpe` uses. Conditional parameters form groups. Running trials count as bad (the constant
liar), so that parallel trials do not cluster.

What samplers learn of trials that did not complete differs. TPE ranks pruned trials below all complete ones, by the
step they reached: stopped trials are pruned at their rung, diverged and failed ones before their first value, which
ranks them last. The other samplers ignore pruned trials: for them a stopped trial is complete with its last value, a
diverged or failed one with the worst value seen, once there is one.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation, Outcome
from orchestrator.core.search.dimension import Dimension
from orchestrator.core.search.random import RandomSearch
from orchestrator.errors import SearchMethodError
from orchestrator.spec.load_search import make_sampler

if TYPE_CHECKING:
    from optuna.trial import Trial

    from orchestrator.spec import Distribution, Space

_PATIENCE = 20  # suggestions rejected before falling back to a random draw


def tpe(space: Space, seed: int, mode: str) -> OptunaSampler:
    """The method `tpe`."""
    options = {"multivariate": True, "group": True, "constant_liar": True}
    return OptunaSampler(space, seed, mode, "TPESampler", options)


class OptunaSampler:
    """A sampler of Optuna as a search method.

    ``ask`` depends on (seed, trial number), and on the order in which trials began and ended. A sampler that keeps a
    state of its own (CmaEsSampler, NSGAIISampler) loses it in a resume, and begins again from the results.

    Args:
        space: The search space.
        seed: The seed of the sweep.
        mode: "min" or "max".
        sampler: The name of a class in ``optuna.samplers``.
        options: Its keyword arguments.

    Raises:
        SearchMethodError: There is no such sampler, or it refuses its options.
    """

    def __init__(self, space: Space, seed: int, mode: str, sampler: str, options: Mapping[str, Any]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._seed = seed
        self._mode = mode
        self._sampler = partial(make_sampler, sampler, options)
        self._sampler(0)
        self._is_tpe = sampler == "TPESampler"  # the only one that learns from pruned trials
        self._one_sequence = sampler == "QMCSampler"  # its points belong together only under one seed
        self._startup = options.get("n_startup_trials", 10) if space.has_weights else 0
        self._guess = space.prior_config() if space.has_priors else None
        self._fallback = RandomSearch(space, seed)
        self._study = optuna.create_study(direction="minimize" if mode == "min" else "maximize")
        self._dimensions = {name: Dimension(distribution) for name, distribution in space.parameters.items()}
        # Trials by our numbers, each with Optuna's number and what the sampler has noted about it:
        self._running: dict[int, tuple[int, dict[str, Any]]] = {}
        self._at_rungs: dict[int, int] = {}  # the newest results of trials at rungs, by Optuna's numbers
        self._failed: dict[int, int] = {}  # the results of failed trials, by Optuna's numbers
        self._worst: float | None = None
        self._without_value: list[Observation] = []  # diverged or failed before there was a worst value

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The user's guesses first, then the sampler's suggestion, seeded for this trial; a random draw if too many
        suggestions are rejected.

        Raises:
            SearchMethodError: The sampler has failed.
        """
        if self._guess is not None and accept(self._guess):
            self._run(number, self._guess, {})
            return self._guess
        if self._startup > self._results() and (config := self._fallback.ask(number, accept)) is not None:
            self._run(number, config, {})  # samplers begin with random draws, but know no weights
            return config
        draws = random.Random(f"{self._seed}/{number}")
        for _ in range(_PATIENCE):
            config, noted = self._suggestion(number, self._seed if self._one_sequence else draws.getrandbits(32))
            if accept(config):
                self._run(number, config, noted)
                return config
        config_or_none = self._fallback.ask(number, accept)
        if config_or_none is not None:
            self.resume(number, config_or_none)
        return config_or_none

    def resume(self, number: int, config: Config) -> None:
        """Add the trial to Optuna's running ones, and take back that it failed."""
        self._without_value = [each for each in self._without_value if each.number != number]
        failed = self._failed.pop(number, None)
        if failed is not None:
            self._withdraw(failed)
        self._run(number, config, {})

    def tell(self, observation: Observation) -> None:
        """Add the result of a trial; one at a rung only for TPE, until the trial has another: it may be paused long."""
        if observation.outcome is Outcome.RUNG and not self._is_tpe:
            return
        value = observation.value
        if value is not None and (self._worst is None or (value > self._worst) == (self._mode == "min")):
            self._worst = value
        if value is None and self._worst is None and not self._is_tpe:
            self._without_value.append(observation)
            return
        self._add_result(observation)
        waiting, self._without_value = self._without_value, []
        for each in waiting:
            self._add_result(each)

    def forget(self, number: int) -> None:
        """Remove the trial from Optuna's running ones."""
        if number in self._running:
            self._drop(self._running.pop(number)[0])

    def _results(self) -> int:
        """The trials that have a result, which samplers count before they begin to learn."""
        from optuna.trial import TrialState

        return len(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))

    def _suggestion(self, number: int, seed: int) -> tuple[Config, dict[str, Any]]:
        """A suggestion of the sampler, in values of the space, and what the sampler has noted about it."""
        try:
            self._study.sampler = self._sampler(seed)
            trial = self._study.ask()
            config = self._space.draw(partial(self._suggest, trial))
        except SearchMethodError:
            raise
        except Exception as error:
            problem = f"{self._sampler.args[0]} has failed at trial {number}: {type(error).__name__}: {error}"
            raise SearchMethodError(problem) from error
        noted = self._study.get_trials(deepcopy=False)[trial.number].system_attrs
        self._drop(trial.number)  # its values are not rounded; those of a running trial are
        return config, {} if self._is_tpe else dict(noted)  # TPE notes values that are not rounded

    def _suggest(self, trial: Trial, name: str, _: Distribution) -> Any:
        return self._dimensions[name].suggest(trial, name)

    def _run(self, number: int, config: Config, noted: dict[str, Any]) -> None:
        from optuna.trial import TrialState

        self.forget(number)
        self._running[number] = self._add(config, noted, state=TrialState.RUNNING), noted

    def _add_result(self, observation: Observation) -> None:
        from optuna.trial import TrialState

        number, value = observation.number, observation.value
        _, noted = self._running.get(number, (0, {}))
        self.forget(number)
        if number in self._at_rungs:
            self._withdraw(self._at_rungs.pop(number))
        how: dict[str, Any] = {"state": TrialState.COMPLETE, "value": self._worst if value is None else value}
        if self._is_tpe and observation.outcome is not Outcome.COMPLETED:
            reached = {} if value is None else {observation.step: value}
            how = {"state": TrialState.PRUNED, "intermediate_values": reached}
        added = self._add(observation.config, noted, **how)
        if observation.outcome is Outcome.FAILED:
            self._failed[number] = added
        if observation.outcome is Outcome.RUNG:
            self._at_rungs[number] = added

    def _add(self, config: Config, noted: dict[str, Any], **how: Any) -> int:
        """Add a trial; returns Optuna's number of it."""
        from optuna.trial import create_trial

        params = {name: self._dimensions[name].encode(value) for name, value in config.items()}
        distributions = {name: self._dimensions[name].optuna for name in config}
        self._study.add_trial(create_trial(params=params, distributions=distributions, system_attrs=noted, **how))
        return len(self._study.get_trials(deepcopy=False)) - 1

    def _drop(self, added: int) -> None:
        from optuna.trial import TrialState

        self._study.tell(added, state=TrialState.FAIL)  # samplers ignore failed trials

    def _withdraw(self, added: int) -> None:
        """Let samplers ignore a result from now on."""
        from optuna.trial import TrialState

        self._study.get_trials(deepcopy=False)[added].state = TrialState.FAIL
