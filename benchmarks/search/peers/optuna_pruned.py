"""Optuna with its TPE sampler and one of its pruners, as one search and scheduler around one study."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.core.rows import Config
from orchestrator.core.schedulers import Action, Decision
from orchestrator.core.schedulers.none import NoScheduler
from orchestrator.core.search import Accept, Observation, Outcome
from orchestrator.core.search.dimension import Dimension

if TYPE_CHECKING:
    from optuna.trial import Trial

    from orchestrator.space.space import Space

PrunerName = Literal["halving", "hyperband"]


class OptunaPruned(NoScheduler):
    """A study that proposes and prunes. The objective is reported after every step, as Optuna's documentation shows.

    Args:
        space: The search space.
        mode: "min" or "max".
        max_step: The last step of a full training.
        seed: Of the sampler.
        pruner: SuccessiveHalvingPruner or HyperbandPruner, with their defaults.
    """

    def __init__(self, *, space: Space, mode: str, max_step: int, seed: int, pruner: PrunerName) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
        pruners = optuna.pruners
        self._study = optuna.create_study(
            direction="minimize" if mode == "min" else "maximize",
            sampler=sampler,
            pruner=pruners.HyperbandPruner(max_resource=max_step)
            if pruner == "hyperband"
            else pruners.SuccessiveHalvingPruner(),
        )
        self._space = space
        self._dimensions = {name: Dimension(distribution) for name, distribution in space.parameters.items()}
        self._steps = tuple(range(1, max_step))
        self._trials: dict[int, Trial] = {}

    # The search -------------------------------------------------------------------------------------------------

    def ask(self, number: int, accept: Accept) -> Config | None:
        """Optuna's suggestion. One that is not accepted is told as failed, and another asked for."""
        while True:
            trial = self._study.ask()
            config = self._space.draw(partial(self._suggest, trial))
            if accept(config, times=1000):  # Optuna may repeat itself
                self._trials[number] = trial
                return config
            self._tell(trial, None, "FAIL")

    def _suggest(self, trial: Trial, name: str, _: Any) -> Any:
        return self._dimensions[name].suggest(trial, name)

    def resume(self, number: int, config: Config) -> None:
        """Nothing is resumed here."""

    def tell(self, observation: Observation) -> None:
        """Tell the study how a trial has ended."""
        match observation.outcome:
            case Outcome.RUNG:
                return
            case Outcome.STOPPED:
                self._tell(self._trials.pop(observation.number), None, "PRUNED")
            case Outcome.COMPLETED:
                self._tell(self._trials.pop(observation.number), observation.value, "COMPLETE")
            case _:
                self._tell(self._trials.pop(observation.number), None, "FAIL")

    def _tell(self, trial: Trial, value: float | None, state: str) -> None:
        from optuna.trial import TrialState

        self._study.tell(trial, value, state=TrialState[state])

    def forget(self, number: int) -> None:
        """The sweep has ended."""

    # The scheduler ----------------------------------------------------------------------------------------------

    def rungs(self, trial: int) -> tuple[int, ...]:
        """Every step: the pruner decides at which it looks."""
        return self._steps

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """The pruner's decision."""
        if trial not in self._trials or step > len(self._steps):
            return ()
        self._trials[trial].report(value, step)
        action = Action.STOP if self._trials[trial].should_prune() else Action.CONTINUE
        return (Decision(rung=step, value=value, cutoff=math.nan, action=action),)
