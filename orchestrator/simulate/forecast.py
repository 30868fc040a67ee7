"""Forecasts a sweep: plays it some times on the virtual clock, with what the driver costs, and says how long it takes.

Nobody knows the curves beforehand. A trial gets a random rank that it keeps at all rungs, so those that the scheduler
lets go on are as many as if the search learnt nothing; with a search that learns they are some more. How long a step
takes is given, as one figure or as those of an earlier sweep's trials, which are drawn from.
"""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from orchestrator import events
from orchestrator.assemble import limits_of, scheduler_of, trial_count
from orchestrator.search.random import RandomSearch
from orchestrator.simulate.costs import Costs
from orchestrator.simulate.virtual import Curve, simulate
from orchestrator.spec import Space, Spec, max_step
from orchestrator.spec.max_step import length_of
from orchestrator.spec.ranges import Uniform
from orchestrator.sweep import Sweep
from trainables.contract import Declaration

MANY = 1000
"""Trials to be played in all: a small sweep is played often, for chance matters more in it."""

LONG = 5000
"""Of more trials than this one sweep is enough."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a trial trains: seconds until its first step begins, and seconds a step."""

    step_s: float
    set_up_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Range:
    """A figure over the simulated sweeps."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """From the least to the most, with the median."""
        return cls(low=min(values), middle=statistics.median(values), high=max(values))


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a sweep comes to. Seconds count from the command."""

    sweeps: int  # played
    seconds: Range
    trained_s: Range  # summed over trials
    steps: Range  # trained, summed over trials
    best_s: Range  # until the trial that turns out best has its result
    driver_s: Range  # in which the driver is busy
    trials: Range  # that had a result
    ended_by: str | None  # the budget that ends it before its trials are through, in words

    def busy(self, slots: int) -> float:
        """The share of the slots' time that is training."""
        return self.trained_s.middle / (slots * self.seconds.middle)

    @property
    def driver(self) -> float:
        """The share of its time that the driver is busy."""
        return self.driver_s.middle / self.seconds.middle


@dataclass(frozen=True, kw_only=True)
class _Played:
    seconds: float
    trained_s: float
    steps: float
    best_s: float
    driver_s: float
    trials: float
    ended_by: str | None


def foresee(
    spec: Spec,
    declaration: Declaration | None,
    *,
    slots: int,
    paces: Sequence[Pace],
    costs: Costs,
    starts_at_once: int | None = None,
    gpus_per_trial: float = 0.0,
) -> Forecast | None:
    """Forecast a sweep; None if nothing says how long a full training is.

    Args:
        spec: A checked one.
        declaration: What its trainable declares.
        slots: How many trials run at once.
        paces: Of trials, drawn from at random.
        costs: What is charged beside training.
        starts_at_once: How many processes start side by side; None: all.
        gpus_per_trial: What `resources.gpu` came to, for budgets in GPU-hours.
    """
    if max_step(spec, declaration) is None:
        return None
    count = trial_count(spec, spec.parameter_space())
    sweeps = 1 if count > LONG else min(20, max(3, MANY // count))
    seeds = random.Random(spec.search.seed)
    played = []
    for _ in range(sweeps):
        imagined = _Imagined(spec, declaration, paces, seeds.getrandbits(32), gpus_per_trial)
        played.append(_play(imagined, slots, costs, starts_at_once))
    ranges = {
        field.name: Range.of([getattr(each, field.name) for each in played])
        for field in dataclasses.fields(_Played)
        if field.name != "ended_by"
    }
    return Forecast(sweeps=sweeps, ended_by=next((each.ended_by for each in played if each.ended_by), None), **ranges)


def _play(imagined: _Imagined, slots: int, costs: Costs, starts_at_once: int | None) -> _Played:
    sweep = imagined.sweep
    outcome = simulate(sweep, imagined.curve, slots=slots, costs=costs, starts_at_once=starts_at_once)
    best = sweep.best.ended_at if sweep.best is not None and sweep.best.ended_at is not None else outcome.seconds
    return _Played(
        seconds=outcome.seconds,
        trained_s=outcome.busy_s,
        steps=sum(row.last_step or 0 for row in outcome.trials.values()),
        best_s=best,
        driver_s=outcome.driver_s,
        trials=sum(row.objective is not None for row in outcome.trials.values()),
        ended_by=sweep.halted,
    )


class _Imagined:
    """A sweep of the same scheduler and budget, whose trials have a rank, a length and a pace."""

    def __init__(
        self, spec: Spec, declaration: Declaration | None, paces: Sequence[Pace], seed: int, gpus_per_trial: float
    ) -> None:
        self._space = spec.parameter_space()
        self._length = length_of(declaration)
        self._searched = self._length in self._space.parameters and (spec.scheduler is None or not spec.scheduler.max)
        self._last = max_step(spec, declaration) or 1
        self._metric = spec.objective.metric
        self._paces = paces
        self._seed = seed
        # a budget of GPU time counts what was reported
        self._looks = 30 if spec.budget.gpu_hours is not None else 1
        seeded = spec.model_copy(update={"search": spec.search.model_copy(update={"seed": seed})})
        self.sweep = Sweep(
            space=_ranks(),
            search=RandomSearch(_ranks(), seed),
            scheduler=scheduler_of(seeded, declaration),
            objective=spec.objective.model_copy(update={"diverged_above": None}),
            limits=limits_of(spec, self._space, gpus_per_trial=gpus_per_trial),
            seed=seed,
        )

    def curve(self, start: events.Start) -> Curve:
        """Reports where a decision is due, and at the end."""
        draws = random.Random(f"{self._seed}/{start.trial}/pace")
        pace = draws.choice(self._paces)
        last = int(self._space.sample(draws).get(self._length, self._last)) if self._searched else self._last
        return self._reports(start, pace, max(1, last))

    def _reports(self, start: events.Start, pace: Pace, last: int) -> Iterator[tuple[float, int, Mapping[str, float]]]:
        looks = {last * look // self._looks for look in range(1, self._looks + 1)}
        before, seconds = 0, pace.set_up_s
        for step in sorted({*(rung for rung in start.rungs if rung < last), *looks} - {0}):
            yield seconds + (step - before) * pace.step_s, step, {self._metric: start.config["rank"]}
            before, seconds = step, 0.0


@lru_cache(maxsize=1)
def _ranks() -> Space:
    return Space({"rank": Uniform(uniform=(0.0, 1.0))}, [], {})
