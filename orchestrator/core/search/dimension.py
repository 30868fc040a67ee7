"""Translates parameters to and from the distributions of Optuna's samplers.

Steps are ignored, because the space rounds to them and the kernels stay smooth. Ordered options become positions. A
distribution without bounds is searched by quantile, so the sampler's uniform prior is the user's distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.space.normal import LogNormal, Normal
from orchestrator.space.values import canonical_json
from orchestrator.spec import Distribution

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

_TAIL = 1e-9  # quantiles cut off at either end of a distribution without bounds


class Dimension:
    """Translates between the values of a distribution and Optuna's."""

    def __init__(self, distribution: Distribution) -> None:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        self._distribution = distribution
        self._options = None if distribution.numeric is not None else distribution.values()
        self._positions = {canonical_json(option): at for at, option in enumerate(self._options or ())}  # 1 is not true
        self.optuna: BaseDistribution
        number = distribution.numeric
        if number is not None and number.integer:
            self.optuna = IntDistribution(int(number.low), int(number.high), log=number.log)
        elif number is not None:
            self.optuna = FloatDistribution(number.low, number.high, log=number.log)
        elif self._options is None:
            self.optuna = FloatDistribution(_TAIL, 1 - _TAIL)
        elif getattr(distribution, "ordered", True):  # the options of a grid are ordered
            self.optuna = IntDistribution(0, len(self._options) - 1)
        else:
            self.optuna = CategoricalDistribution(range(len(self._options)))

    def suggest(self, trial: Trial, name: str) -> Any:
        """Let Optuna choose a value of the distribution."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        match self.optuna:
            case FloatDistribution(low=low, high=high, log=log):
                value = trial.suggest_float(name, low, high, log=log)
                return value if self._distribution.numeric is not None else self._distribution.from_unit(value)
            case IntDistribution(low=low, high=high, log=log):
                position = trial.suggest_int(name, low, high, log=log)
            case CategoricalDistribution(choices=choices):
                position = trial.suggest_categorical(name, choices)
        return position if self._options is None else self._options[position]

    def encode(self, value: Any) -> Any:
        """Convert a value of the distribution to Optuna's."""
        if self._options is not None:
            return self._positions[canonical_json(value)]
        if isinstance(self._distribution, Normal | LogNormal):
            return min(max(self._distribution.to_unit(value), _TAIL), 1 - _TAIL)
        return value
