"""The learning-rate range test: in one short training the rate grows with every update, and the loss tells which rates
train and which are too high (Smith 2017, Cyclical Learning Rates for Training Neural Networks, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from trainables.supervised.examples import in_batches

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.supervised.training import Training

LOWEST, HIGHEST = 1e-7, 10.0
"""The rates of the first and the last update."""

UPDATES = 200

RUINED = 4.0
"""The test ends where the smoothed loss is so many times the lowest one."""

SMOOTHING = 0.9
"""The share of the loss so far in the smoothed one."""

LAG = round(SMOOTHING / (1 - SMOOTHING))
"""How many updates the smoothed loss is behind."""

UNCHANGED = 30
"""The rates of the first updates are too low to change the loss: their mean is where it starts."""

CERTAIN = 6.0
"""A fall must be so many times the noise of the smoothed loss."""

LEAST = 0.01
"""A fall must be this share of the loss."""

FALLEN = 0.1
"""The share of the whole fall after which the loss counts as falling."""


@dataclass(kw_only=True)
class RangeTest:
    """A range test and what it has seen.

    Attributes:
        rates: The learning rate of each update.
        losses: The training loss of each update, before it.
        batch_size: Examples per update; 0: nothing was trained.
        optimizer: The update rule.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    batch_size: int = 0
    optimizer: str = ""

    def run(self, training: Training) -> None:
        """Train until the rate is far too high."""
        training.model.train()
        self.batch_size, self.optimizer = training.config["batch_size"], training.config["optimizer"]
        for number, rows in zip(range(UPDATES), _batches(training), strict=False):
            rate = LOWEST * (HIGHEST / LOWEST) ** (number / (UPDATES - 1))
            self.rates.append(rate)
            self.losses.append(float(training.update(rows, rate)[0]))
            smoothed = smooth(self.losses)
            if len(smoothed) < len(self.losses) or smoothed[-1] > RUINED * min(smoothed):
                return


def _batches(training: Training) -> Iterator[Tensor]:
    import torch

    while True:
        order = torch.randperm(len(training.train), generator=training.order)
        yield from in_batches(order, training.config["batch_size"])


_asked: ContextVar[RangeTest | None] = ContextVar("range test", default=None)


@contextmanager
def instead_of_training() -> Iterator[RangeTest]:
    """Within this block :func:`trainables.supervised.fit` runs a range test, and then ends the trial."""
    test = RangeTest()
    token = _asked.set(test)
    try:
        yield test
    finally:
        _asked.reset(token)


def asked() -> RangeTest | None:
    """The range test that is to be run instead of training, if there is one."""
    return _asked.get()


@dataclass(frozen=True, kw_only=True)
class LearningRates:
    """What a range test says.

    Attributes:
        low: The rate at which the loss begins to fall.
        high: The rate at which it is lowest, before it rises.
        rises: Whether it rises after that; if not, higher rates may train as well.
    """

    low: float
    high: float
    rises: bool


def reading(test: RangeTest) -> LearningRates | None:
    """The range of learning rates that is worth searching; None if no rate has lowered the loss.

    Both ends are rounded outwards to 1 or 3 times a power of ten, and are at least a factor of ten apart.
    """
    losses = smooth(test.losses)
    if len(losses) <= UNCHANGED:
        return None
    start = sum(test.losses[:UNCHANGED]) / UNCHANGED
    later = range(UNCHANGED, len(losses))  # before that, the smoothed loss is of few updates
    bottom = min(later, key=losses.__getitem__)
    fall = start - losses[bottom]
    if fall <= max(CERTAIN * _noise(test.losses[: bottom + 1]), LEAST * abs(start)):
        return None
    begins = next(at for at in later if start - losses[at] > FALLEN * fall)
    high = _rounded(test.rates[max(0, bottom - LAG)], up=True)
    low = min(_rounded(test.rates[max(0, begins - LAG)], up=False), float(f"{high / 10:.0e}"))
    return LearningRates(low=low, high=high, rises=max(losses[bottom:]) - losses[bottom] > FALLEN * fall)


def smooth(losses: Sequence[float]) -> list[float]:
    """The exponential moving average, without the bias of its beginning; it ends before the first value that is not
    finite."""
    smoothed, found = 0.0, []
    for number, loss in enumerate(losses):
        if not math.isfinite(loss):
            break
        smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * loss
        found.append(smoothed / (1 - SMOOTHING ** (number + 1)))
    return found


def _noise(losses: Sequence[float]) -> float:
    """The deviation of the smoothed loss that the choice of the batch alone causes."""
    steps = [later - earlier for earlier, later in pairwise(losses)]
    spread = math.sqrt(sum(step**2 for step in steps) / (2 * len(steps)))
    return spread * math.sqrt((1 - SMOOTHING) / (1 + SMOOTHING))


def _rounded(rate: float, *, up: bool) -> float:
    """The next of …, 1e-3, 3e-3, 1e-2, … above or below."""
    power = 10.0 ** math.floor(math.log10(rate))
    steps = [power, 3 * power, 10 * power]
    near = min(steps, key=lambda step: abs(math.log(step / rate)))
    if math.isclose(near, rate, rel_tol=0.05):
        found = near
    else:
        found = next(step for step in steps if step > rate) if up else next(s for s in reversed(steps) if s <= rate)
    return float(f"{found:.0e}")
