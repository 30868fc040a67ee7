"""What the members of the portfolio know: values at rungs, results, failures, and what is running."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orchestrator.core.rows import Config
from orchestrator.core.search import Observation, Outcome
from orchestrator.core.search.auto.encoding import Array, Encoding


@dataclass(kw_only=True, slots=True)
class Known:
    """One trial: where it is, and the best that it has reached. Losses: lower is better."""

    point: Array  # [parameters]
    features: Array  # [features]
    step: int = 0  # of its newest value
    loss: float = np.inf  # its best so far
    broken: bool = False  # it failed or diverged


@dataclass(kw_only=True, slots=True)
class Measured:
    """A value of a trial at a step: the best loss up to there, and the seconds of training."""

    trial: int
    step: int
    loss: float
    seconds: float


@dataclass(kw_only=True)
class Evidence:
    """Everything told so far, in the order of telling.

    Attributes:
        trials: By number, the ones that have a value, or failed, or diverged.
        running: Trials without a value yet, by number.
        measured: The values, one for each trial and step.
        rungs: For each step, the trials with a value there and their losses.
    """

    encoding: Encoding
    sign: float  # 1 if the objective is minimised, -1 if it is maximised
    trials: dict[int, Known] = field(default_factory=dict)
    running: dict[int, Array] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    rungs: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    longest: int = 1  # the largest step seen

    def start(self, number: int, config: Config) -> None:
        """A trial runs. What was told of it as a failure was not its fault."""
        known = self.trials.get(number)
        if known is not None:
            known.broken = False
        if known is None or not known.step:
            self.running[number] = self.encoding.point(config)

    def forget(self, number: int) -> None:
        """A trial has ended without a result."""
        self.running.pop(number, None)

    def tell(self, observation: Observation) -> None:
        """Take a value or an end."""
        number = observation.number
        point = self.running.pop(number, None)
        known = self.trials.get(number)
        if known is None:
            point = self.encoding.point(observation.config) if point is None else point
            known = self.trials[number] = Known(point=point, features=self.encoding.features(point[None])[0])
        known.broken = observation.outcome in (Outcome.DIVERGED, Outcome.FAILED)
        step = observation.step
        if observation.value is None or step is None:
            return
        loss = min(self.sign * observation.value, known.loss)
        if step > known.step:
            seconds = observation.train_s or 0.0
            self.measured.append(Measured(trial=number, step=step, loss=loss, seconds=seconds))
            self.rungs.setdefault(step, []).append((self.sign * observation.value, number))
            self.longest = max(self.longest, step)
            known.step = step
        known.loss = loss

    @property
    def valued(self) -> list[Known]:
        """The trials with a value that did not break."""
        return [known for known in self.trials.values() if known.step and not known.broken]

    def highest_rung(self, least: int) -> list[tuple[float, int]]:
        """The losses and trials at the highest step that at least so many have reached, best first; empty if none."""
        steps = [step for step, entries in self.rungs.items() if len(entries) >= least]
        if not steps:
            return []
        return sorted(entry for entry in self.rungs[max(steps)] if not self.trials[entry[1]].broken)
