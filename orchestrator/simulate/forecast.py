"""Forecasts a sweep: simulates it several times on the virtual clock, including the driver's overhead.

Curves are unknown in advance. Each simulated trial has a rank that is the same at all rungs: a random one, or the rank
and pace of a trial of an earlier sweep. A search that learns proposes better and better trials, so schedulers, which
compare them with earlier ones, may stop fewer. How well the search learns varies between the simulated sweeps.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from orchestrator.core import events
from orchestrator.core.build import limits_of
from orchestrator.core.ladder import scheduler_of
from orchestrator.core.limits import Limits
from orchestrator.core.schedulers import RungSummary
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.costs import Costs
from orchestrator.simulate.virtual_clock import Curve, Outcome, simulate
from orchestrator.space.ranges import Uniform
from orchestrator.spec import Space, Spec, max_step
from orchestrator.spec.max_step import length_of, max_seconds
from orchestrator.spec.sections import DO_NOT_LEARN
from trainables.declaration import Declaration

MANY = 1000
"""Trials to simulate in total: small sweeps vary more, so they are simulated more often."""

LONG = 5000
"""Sweeps with more trials than this are simulated once."""

MOST = 10_000
"""So many trials are simulated at most: more would take minutes."""

LEARNING = (0.0, 1.25)
"""Losses shrink with this power of the number of results, drawn between these bounds, if the search learns.
With tpe, the churn example trains 1.1 times the steps of a random search (60 trials), and the curves of the LCBench
surrogate 2 to 3.6 times (200 trials in 20 slots)."""

LEAST_STEP_S = 1e-9
"""A step takes at least so long, where time ends a training."""

ROUNDING = 1e-9
"""The relative error of sums of seconds that does not cost a trial a further step."""

LEARNS_FROM = 10
"""The number of results from which a search learns."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The training speed of a trial."""

    step_s: float  # seconds per step
    set_up_s: float = 0.0  # seconds before the first step
    rank: float | None = None  # among the sweep's trials, from 0 for the best to 1; None: random


@dataclass(frozen=True, kw_only=True)
class Range:
    """The range of a quantity over the simulated sweeps."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """The minimum, median and maximum of the values."""
        return cls(low=min(values), middle=statistics.median(values), high=max(values))


@dataclass(frozen=True, kw_only=True)
class ExpectedRung:
    """A rung, averaged over the simulated sweeps."""

    step: int  # or seconds, as the rungs count
    entering: float  # trials that reach it
    continuing: float  # trials that continue beyond it


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The forecast of a sweep. Seconds count from the command."""

    sweeps: int  # played
    rungs: tuple[ExpectedRung, ...]
    seconds: Range
    trained_s: Range  # summed over trials
    steps: Range  # trained, summed over trials
    best_s: Range  # until the best trial has its result
    driver_s: Range  # in which the driver is busy
    search_s: Range  # in which the search is busy with proposals
    trials: Range  # trials with a result
    ended_by: str | None  # the budget that usually ends the sweep early, in words
    complete: bool = True  # False: the sweep goes on after the MOST trials that were simulated

    def busy(self, slots: int) -> float:
        """The share of slot time spent training."""
        return self.trained_s.middle / (slots * self.seconds.middle)

    @property
    def driver(self) -> float:
        """The share of time that the driver is busy."""
        return self.driver_s.middle / self.seconds.middle

    @property
    def search(self) -> float:
        """The share of time that the search is busy."""
        return self.search_s.middle / self.seconds.middle


@dataclass(frozen=True, kw_only=True)
class _SimulatedRun:
    seconds: float
    trained_s: float
    steps: float
    best_s: float
    driver_s: float
    search_s: float
    trials: float
    started: int
    ended_by: str | None
    rungs: tuple[RungSummary, ...]


def forecast_sweep(
    spec: Spec,
    declaration: Declaration | None,
    *,
    slots: int,
    paces: Sequence[Pace],
    costs: Costs,
    starts_at_once: int | None = None,
    gpus_per_trial: float = 0.0,
    saves: bool = True,
) -> Forecast | None:
    """Forecast a sweep; None if the length of a full training is unknown, in steps and in seconds.

    Args:
        spec: A checked spec.
        declaration: What the trainable declares.
        slots: Number of trials that run at once.
        paces: Paces to draw from, one per simulated trial.
        costs: Overhead in addition to training.
        starts_at_once: Number of processes that the cores can start in parallel without slowdown; None: all.
        gpus_per_trial: The resolved `resources.gpu`, for budgets in GPU-hours.
        saves: Whether the trainable saves its state, so that trials can pause.
    """
    if max_step(spec, declaration) is None and max_seconds(spec) is None:
        return None
    limits = limits_of(spec, spec.parameter_space(), gpus_per_trial=gpus_per_trial)
    played = _playable(limits)
    low, high = (0.0, 0.0) if spec.search.method in DO_NOT_LEARN else LEARNING

    def run(learning: float, seed: int) -> _SimulatedRun:
        simulated = _SimulatedSweep(spec, declaration, paces, learning, seed, played)
        return _run(simulated, slots, costs, starts_at_once, saves=saves)

    seeds = random.Random(spec.search.seed)
    first = None if limits.trials is not None else run((low + high) / 2, seeds.getrandbits(32))
    count = limits.trials if first is None else max(1, first.started)
    assert count is not None
    sweeps = 1 if count > LONG else min(20, max(3, MANY // count))
    if sweeps == 1 and first is not None:
        runs = [first]
    else:
        runs = [run(low + (high - low) * (number + 0.5) / sweeps, seeds.getrandbits(32)) for number in range(sweeps)]

    def over_all(figure: str) -> Range:
        return Range.of([getattr(each, figure) for each in runs])

    return Forecast(
        sweeps=sweeps,
        rungs=_rungs([each.rungs for each in runs]),
        seconds=over_all("seconds"),
        trained_s=over_all("trained_s"),
        steps=over_all("steps"),
        best_s=over_all("best_s"),
        driver_s=over_all("driver_s"),
        search_s=over_all("search_s"),
        trials=over_all("trials"),
        ended_by=statistics.mode(each.ended_by for each in runs),
        complete=played.trials == limits.trials or all(each.ended_by is not None for each in runs),
    )


def modelled_sweeps(
    spec: Spec,
    declaration: Declaration | None,
    *,
    slots: int,
    paces: Sequence[Pace],
    costs: Costs,
    sweeps: int,
    gpus_per_trial: float = 0.0,
    saves: bool = True,
) -> list[Outcome]:
    """Simulate a sweep several times, as ``forecast_sweep`` does; empty if the length of a full training is unknown.

    In what they record, a trial's objective is its rank among random configurations, from 0 for the best to 1; negative
    if higher is better.

    Args:
        spec, declaration, slots, paces, costs, gpus_per_trial, saves: As for ``forecast_sweep``.
        sweeps: How many.
    """
    if max_step(spec, declaration) is None and max_seconds(spec) is None:
        return []
    limits = _playable(limits_of(spec, spec.parameter_space(), gpus_per_trial=gpus_per_trial))
    low, high = (0.0, 0.0) if spec.search.method in DO_NOT_LEARN else LEARNING
    seeds = random.Random(spec.search.seed)
    outcomes = []
    for number in range(sweeps):
        learning = low + (high - low) * (number + 0.5) / sweeps
        simulated = _SimulatedSweep(spec, declaration, paces, learning, seeds.getrandbits(32), limits)
        outcomes.append(simulate(simulated.sweep, simulated.curve, slots=slots, costs=costs, saves=saves))
    return outcomes


def _playable(limits: Limits) -> Limits:
    """The limits on simulated results, of which only the order is like that of real ones: any gain counts."""
    trials = MOST if limits.trials is None else min(MOST, limits.trials)
    return replace(limits, trials=trials, target=None, min_gain=0.0)


def _rungs(tables: Sequence[Sequence[RungSummary]]) -> tuple[ExpectedRung, ...]:
    entered: Counter[int] = Counter()
    stopped: Counter[int] = Counter()
    for rung in itertools.chain.from_iterable(tables):
        entered[rung.rung] += rung.entered
        stopped[rung.rung] += rung.stopped + rung.paused
    return tuple(
        ExpectedRung(
            step=step, entering=entered[step] / len(tables), continuing=(entered[step] - stopped[step]) / len(tables)
        )
        for step in sorted(entered)
    )


def _run(
    simulated: _SimulatedSweep, slots: int, costs: Costs, starts_at_once: int | None, *, saves: bool
) -> _SimulatedRun:
    sweep = simulated.sweep
    outcome = simulate(sweep, simulated.curve, slots=slots, costs=costs, starts_at_once=starts_at_once, saves=saves)
    best = sweep.best.ended_at if sweep.best is not None and sweep.best.ended_at is not None else outcome.seconds
    return _SimulatedRun(
        seconds=outcome.seconds,
        trained_s=outcome.busy_s,
        steps=sum(row.last_step or 0 for row in outcome.trials.values()),
        best_s=best,
        driver_s=outcome.driver_s,
        search_s=outcome.search_s,
        trials=sum(row.objective is not None for row in outcome.trials.values()),
        started=len(sweep.trials),
        ended_by=_ended_by(sweep),
        rungs=sweep.scheduler.table(),
    )


def _ended_by(sweep: Sweep) -> str | None:
    """Why the sweep ended early, in words that fit each simulated sweep."""
    limits = sweep.limits
    if limits.patience is not None and sweep.early_end.patience.trials >= limits.patience:
        return f"{limits.patience:,} trials in a row bring no better result"
    return sweep.halted


class _SimulatedSweep:
    """A sweep with the same scheduler and budget, whose trials have a rank, a length and a pace."""

    def __init__(
        self,
        spec: Spec,
        declaration: Declaration | None,
        paces: Sequence[Pace],
        learning: float,
        seed: int,
        limits: Limits,
    ) -> None:
        self._space = spec.parameter_space()
        self._length = length_of(declaration)
        by_scheduler = limits.max_step is not None
        self._searched = self._length in self._space.parameters and not by_scheduler
        self._last = max_step(spec, declaration)
        self._most_s = limits.trial_seconds
        self._metric = spec.objective.metric
        self._sign = 1.0 if spec.objective.mode == "min" else -1.0
        self._paces = paces
        self._learning = learning
        self._seed = seed
        self._values: dict[int, float] = {}  # by trial: as good as it was proposed, also if it pauses
        # a GPU time budget counts only reported time
        self._looks = 30 if spec.budget.gpu_hours is not None else 1
        seeded = spec.model_copy(update={"search": spec.search.model_copy(update={"seed": seed})})
        self.sweep = Sweep(
            space=_ranks(),
            search=RandomSearch(_ranks(), seed),
            scheduler=scheduler_of(seeded, declaration),
            unit=spec.rung_unit,
            objective=spec.objective.model_copy(update={"diverged_above": None}),
            limits=limits,
            seed=seed,
        )

    def curve(self, start: events.Start) -> Curve:
        """Reports at rungs and at the end, after those that are recorded. Each attempt has to be set up."""
        draws = random.Random(f"{self._seed}/{start.trial}/pace")
        pace = draws.choice(self._paces)
        rank = start.config["rank"] if pace.rank is None else pace.rank + draws.random() / len(self._paces)
        results = max(LEARNS_FROM, len(self.sweep.trials) - self.sweep.live)
        value = self._sign * rank * (LEARNS_FROM / results) ** self._learning
        value = self._values.setdefault(start.trial, value)
        last = self._space.sample(draws).get(self._length, self._last) if self._searched else self._last
        return self._reports(start, pace, None if last is None else max(1, int(last)), {self._metric: value})

    def _reports(
        self, start: events.Start, pace: Pace, last: int | None, metrics: Mapping[str, float]
    ) -> Iterator[tuple[float, int, Mapping[str, float]]]:
        at, passed = start.recorded or 0, start.trained_s

        def step_at(seconds: float) -> int:
            """The first step of the attempt at which the trial has trained for so long."""
            steps = (seconds - start.trained_s - pace.set_up_s) / max(pace.step_s, LEAST_STEP_S)
            return (start.recorded or 0) + max(1, math.ceil(steps - ROUNDING))

        due: dict[int, float] = {}  # by step, the seconds of training that the trial reaches there
        for seconds in (*(start.rungs if start.unit == "seconds" else ()), self._most_s):
            if seconds is not None:
                due[step_at(seconds)] = seconds
        if self._most_s is not None:
            last = min(step_at(self._most_s), step_at(self._most_s) if last is None else last)
        assert last is not None  # else nothing says how long a training is, and nothing is forecast
        rungs = due if start.unit == "seconds" else start.rungs
        looks = {last * look // self._looks for look in range(1, self._looks + 1)}
        set_up_s = pace.set_up_s
        for step in sorted({*(rung for rung in rungs if rung < last), *looks}):
            if step <= at:
                continue
            seconds = set_up_s + (step - at) * pace.step_s
            if passed + seconds < due.get(step, 0.0):  # by rounding
                seconds = due[step] * (1 + ROUNDING) - passed
            yield seconds, step, metrics
            at, passed, set_up_s = step, passed + seconds, 0.0


@lru_cache(maxsize=1)
def _ranks() -> Space:
    return Space({"rank": Uniform(uniform=(0.0, 1.0))}, [], {})
