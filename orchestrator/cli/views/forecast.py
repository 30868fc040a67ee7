"""`sweep plan`: how long a sweep takes, by simulating it on a virtual clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.inventory import Node
from orchestrator.analysis.time.step_time import earlier_paces
from orchestrator.core.build import trial_count
from orchestrator.core.rung_unit import rung_name
from orchestrator.formatting import count, duration
from orchestrator.simulate.costs import Costs, measured_costs
from orchestrator.simulate.forecast import LEAST_STEP_S, MOST, Forecast, Pace, Range, forecast_sweep
from orchestrator.sites.needs import Needs
from orchestrator.spec import Spec, max_step
from orchestrator.spec.max_step import max_seconds
from orchestrator.spec.sections import Budget
from orchestrator.spec.source import Source
from orchestrator.worker.messages import heartbeat

BUSY = 0.5
"""The share of time from which on trials wait noticeably for the driver, or for the search."""

FINE = 3600
"""Reports of a full training, where only its time is known: so many that rungs are met closely."""

NOTICEABLE = 0.05
"""The share of time from which on it is said how long the search computes."""


@dataclass(frozen=True, kw_only=True)
class PlanForecast:
    """The forecast part of a plan.

    Attributes:
        facts: Sentences, by what each is about.
        warnings: Sentences.
        seen: The simulated sweeps; None if the length of a training is unknown.
    """

    facts: dict[str, str]
    warnings: tuple[str, ...] = ()
    seen: Forecast | None
    in_seconds: bool = False  # False: the forecast is in steps
    step_s: Range | None = None  # seconds that a step took, over the earlier trials; None: unknown
    step_from: str | None = None  # the sweep of those trials, or the option


def plan_forecast(
    found: Source, nodes: Sequence[Node], *, slots: int, needs: Needs, step_s: float | None, results: Path
) -> PlanForecast:
    """Forecast duration, cost and progress.

    Args:
        found: The sweep.
        nodes: The nodes it runs on.
        slots: How many trials run at once.
        needs: What trials occupy.
        step_s: Seconds that a step takes; None: as in an earlier sweep.
        results: The results directory with that earlier sweep.
    """
    spec = found.spec
    known = known_paces(found, step_s, results, on_gpus=needs.gpus > 0)
    steps = max_step(spec, found.declaration)
    if not known.paces and (spec.rung_unit == "seconds" or steps is None):
        known = _as_long_as_allowed(spec, steps, known)
    if not known.paces:
        return _in_steps(found, slots, known.origin)
    seen = forecast_sweep(
        spec,
        found.declaration,
        slots=slots,
        paces=known.paces,
        costs=measured_costs(spec.search.method, heartbeat_s=heartbeat(slots), isolation=spec.trial.isolation),
        starts_at_once=max(1, int(sum(node.cpus for node in nodes))),
        gpus_per_trial=needs.gpus,
        saves=known.saves,
    )
    if seen is None:
        return PlanForecast(facts={}, seen=None)
    facts = {
        "a step": known.origin,
        "duration": _duration(seen),
        "ends": _ends(seen),
        "busy": _busy(
            seen, slots, needs.gpus, min(sum(node.gpus for node in nodes), spec.resources.max_gpus or math.inf)
        ),
        "driver": f"busy {_share(seen.driver)} of the time",
        "search": f"proposes {_share(seen.search)} of the time" if seen.search >= NOTICEABLE else "",
        "best": f"known after {about(seen.best_s, duration)}",
    }
    return PlanForecast(
        facts=facts,
        warnings=(*_warnings(seen, spec), *(_unreached(seen, spec, steps, known.paces) if known.source else ())),
        seen=seen,
        in_seconds=True,
        step_s=Range.of([pace.step_s for pace in known.paces]) if known.source else None,
        step_from=known.source,
    )


@dataclass(frozen=True, kw_only=True)
class KnownPaces:
    """How long trials train, as far as it is known."""

    paces: Sequence[Pace] = ()
    origin: str  # where they are from, or why there are none, in words
    source: str | None = None  # the earlier sweep, or the option
    saves: bool = True  # whether trials save their state, as far as an earlier sweep tells


def known_paces(found: Source, step_s: float | None, results: Path, *, on_gpus: bool) -> KnownPaces:
    """How long trials train: as the option says, or as in an earlier sweep."""
    if step_s is not None:
        option = "--step-seconds"
        return KnownPaces(paces=[Pace(step_s=step_s)], origin=f"{_short(step_s)} ({option})", source=option)
    earlier = earlier_paces(results, found.spec, found.declaration)
    if earlier is None:
        why = f"no earlier sweep in {results} has this trainable and these fixed values"
        return KnownPaces(origin=f"give the time of a step by --step-seconds ({why})")
    steps = Range.of([pace.step_s for pace in earlier.paces])
    caveat = ", without a GPU" if on_gpus and not earlier.on_gpus else ""
    trials = count(len(earlier.paces), "trial")
    origin = f"{about(steps, _short)}: {trials} of {earlier.sweep}, {earlier.created[:10]}{caveat}"
    return KnownPaces(paces=earlier.paces, origin=origin, source=earlier.sweep, saves=earlier.saves)


def _as_long_as_allowed(spec: Spec, steps: int | None, known: KnownPaces) -> KnownPaces:
    """Trials that train until time ends them, where the time of a step is unknown; as it was if time ends none.

    Args:
        spec: The spec.
        steps: Steps of a full training; None: unknown.
        known: What is known of the time of a step.
    """
    most_s = max_seconds(spec)
    if most_s is None:
        return known
    origin = f"unknown, so every training is taken to last {duration(most_s)}; {known.origin}"
    return KnownPaces(paces=[Pace(step_s=most_s / (steps or FINE))], origin=origin)


def _in_steps(found: Source, slots: int, how_to_know: str) -> PlanForecast:
    """Forecast in steps, without costs and budgets of time, which cannot be converted to steps."""
    budget = found.spec.budget
    if trial_count(found.spec, found.spec.parameter_space()) is None and budget.patience is None:
        ends = _open_end(budget)
        return PlanForecast(facts={"duration": f"{ends}; {how_to_know}"}, seen=None)
    timeless = found.spec.budget.model_copy(update={"hours": None, "gpu_hours": None})
    endless = found.spec.trial.model_copy(update={"max_time": None})
    spec = found.spec.model_copy(update={"budget": timeless, "trial": endless})
    seen = forecast_sweep(spec, found.declaration, slots=slots, paces=[Pace(step_s=1.0)], costs=Costs())
    if seen is None:
        return PlanForecast(facts={}, seen=None)
    steps = about(seen.seconds, whole)
    took = f"{steps} times the time of a step{of_the_first(seen)}"
    return PlanForecast(facts={"duration": f"{took}; {how_to_know}"}, seen=seen)


def _open_end(budget: Budget) -> str:
    """How long a sweep lasts that no number of trials ends."""
    given = [key for key in ("hours", "gpu_hours") if getattr(budget, key) is not None]
    allowed = " and ".join(f"budget.{key}" for key in given)
    verb = "allow" if len(given) > 1 else "allows"
    return f"as long as {allowed} {verb}" if given else "until the target is reached"


def about(range_: Range, words: Callable[[float], str], more: str = "") -> str:
    """A range as text: the middle, then the bounds."""
    low, middle, high = map(words, (range_.low, range_.middle, range_.high))
    return f"about {middle}" + (f" ({low} to {high}{more})" if low != high else "")


def _short(seconds: float) -> str:
    """A duration as text, in milliseconds below a second."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else duration(seconds)


def whole(number: float) -> str:
    """A number without decimals, with thousands separators."""
    return f"{number:,.0f}"


def _duration(seen: Forecast) -> str:
    took = about(seen.seconds, duration, f", in {count(seen.sweeps, 'simulated sweep')}")
    return f"{took}{of_the_first(seen)}" + ("" if seen.complete else "; more were not simulated")


def of_the_first(seen: Forecast) -> str:
    """Of which trials a figure is, if not of all."""
    return "" if seen.complete else f" for the first {MOST:,} trials"


def _ends(seen: Forecast) -> str:
    if seen.ended_by is None:
        return ""
    return f"{seen.ended_by}; {about(seen.trials, whole)} trials have a result by then"


def _busy(seen: Forecast, slots: int, of_a_trial: float, gpus: float) -> str:
    if not of_a_trial:
        return f"{seen.busy(slots):.0%} of the time of {count(slots, 'slot')} is training"
    trained, there = seen.trained_s.middle / 3600 * of_a_trial, seen.seconds.middle / 3600 * gpus
    held = f"of the {_hours(there)} for which {gpus:g} GPUs are held"
    return f"{_hours(trained)} GPU-hours of training, {_share(trained / there)} {held}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "less than 1%"


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.2g}"


def _warnings(seen: Forecast, spec: Spec) -> list[str]:
    warnings = []
    if seen.driver >= BUSY:
        warnings.append(
            f"the driver is busy {seen.driver:.0%} of the time, so trials wait for it; longer trials or fewer at once"
            " would help (see docs/scale.md)"
        )
    if seen.search >= BUSY:
        warnings.append(
            f"{spec.search.method} proposes {seen.search:.0%} of the time, so slots wait for proposals; a search that"
            " does not learn (search.method sobol), longer trials or fewer at once would help (see docs/scale.md)"
        )
    return warnings


def _unreached(seen: Forecast, spec: Spec, steps: int | None, paces: Sequence[Pace]) -> Iterator[str]:
    """A warning about rungs that no trial can reach, because its time or its steps end before."""
    most_s = max_seconds(spec)
    if spec.rung_unit == "seconds":
        last = math.inf if steps is None else max(pace.set_up_s + steps * pace.step_s for pace in paces)
        why = f"a full training takes at most about {duration(last)}" if steps is not None else ""
        advice = "lower scheduler.max, so that rungs lie where trials are"
    elif most_s is not None:
        last = max((most_s - pace.set_up_s) / max(pace.step_s, LEAST_STEP_S) for pace in paces) + 1
        why = f"trial.max_time ends every trial after {duration(most_s)}"
        advice = "raise it, or set scheduler.unit to seconds"
    else:
        return
    beyond = [rung.step for rung in seen.rungs if rung.step > last]
    if beyond:
        yield f"no trial reaches rung {rung_name(beyond[0], spec.rung_unit)}: {why}; {advice}"
