"""Learning curves that a function gives: checked, and kept while their trials may continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.core import events
from orchestrator.core.rows import Config
from orchestrator.errors import UserError
from orchestrator.formatting import shown
from orchestrator.simulate.virtual_clock import Curve
from orchestrator.suggestions import suggestion
from trainables.configuration import nested
from trainables.report import RESERVED

if TYPE_CHECKING:
    import numpy as np

ELAPSED = "elapsed"
"""The array of a curve with its seconds since the start of the training, up to each step."""

CurveOf = Callable[[dict[str, Any]], Mapping[str, "Sequence[float] | np.ndarray"]]
"""Gives the curve of a configuration: ``elapsed`` and the metrics, one entry for each of the steps 1, 2, …"""


@dataclass(frozen=True, kw_only=True)
class GivenCurve:
    """A checked curve.

    Attributes:
        seconds: Of training, up to each step.
        metrics: An array for each metric, as long.
    """

    seconds: np.ndarray
    metrics: Mapping[str, np.ndarray]

    def reports(self) -> Curve:
        """The reports of a training from its beginning."""
        before = 0.0
        columns = [values.tolist() for values in (self.seconds, *self.metrics.values())]
        names = tuple(self.metrics)
        for step, (seconds, *values) in enumerate(zip(*columns, strict=True), 1):
            yield seconds - before, step, dict(zip(names, values, strict=True))
            before = seconds


class GivenCurves:
    """The curves of a sweep's trials. The function is called once a trial, when the trial starts.

    Args:
        curve: Gives the curve of a configuration. Where it raises, the training fails at once.
        objective: The metric that each curve must have.
        fixed: The values that all configurations share.
    """

    def __init__(self, curve: CurveOf, *, objective: str, fixed: Config) -> None:
        self._curve = curve
        self._objective = objective
        self._fixed = fixed
        self._curves: dict[int, tuple[Config, GivenCurve | Exception]] = {}  # by trial; it may be continued

    def train(self, start: events.Start) -> Curve:
        """The reports of the trial that an attempt is at.

        Raises:
            UserError: The function gives no curve.
        """
        curve = self._of(start.trial, start.config)
        return _failing(curve) if isinstance(curve, Exception) else curve.reports()

    def length(self, start: events.Start) -> int | None:
        """How many steps the trial's curve has; None if its training fails.

        Raises:
            UserError: The function gives no curve.
        """
        curve = self._of(start.trial, start.config)
        return None if isinstance(curve, Exception) else len(curve.seconds)

    def _of(self, trial: int, config: Config) -> GivenCurve | Exception:
        known, curve = self._curves.get(trial, (None, None))
        if curve is not None and known == config:
            return curve
        given = nested({**self._fixed, **config})
        try:
            answer: Any = self._curve(given)
        except Exception as error:
            curve = error
        else:
            try:
                curve = checked(answer, self._objective)
            except ValueError as error:
                raise UserError(f"the curve of {shown(given)}: {error}") from None
        self._curves[trial] = config, curve
        return curve


def _failing(error: Exception) -> Iterator[tuple[float, int, Mapping[str, float]]]:
    raise error
    yield  # a generator: the error is raised where the attempt trains


def checked(answer: Any, objective: str) -> GivenCurve:
    """What a function gave, as a curve.

    Raises:
        ValueError: It is no curve; the message says why.
    """
    import numpy as np

    if not isinstance(answer, Mapping):
        raise ValueError(f"it is {type(answer).__name__}, not a mapping with {ELAPSED!r} and an array for each metric")
    if ELAPSED not in answer:
        raise ValueError(f"it has no {ELAPSED!r}, the seconds of training up to each step; it has {_list(answer)}")
    arrays = {name: _array(name, values) for name, values in answer.items()}
    seconds = arrays.pop(ELAPSED)
    if objective not in arrays:
        near = suggestion(objective, arrays)
        raise ValueError(f"it has no {objective!r}, the objective; it has {_list(arrays)}" + (near and f"; {near}"))
    if reserved := RESERVED & arrays.keys():
        raise ValueError(f"{_list(reserved)} names a column of the records, so it cannot name a metric")
    if not len(seconds):
        raise ValueError("it has no steps")
    for name, values in arrays.items():
        if len(values) != len(seconds):
            raise ValueError(f"{name!r} has {len(values)} entries, but {ELAPSED!r} has {len(seconds)}")
    if not np.isfinite(seconds).all() or seconds[0] < 0:
        raise ValueError(f"{ELAPSED!r} must be finite and not negative, but contains {_first_bad(seconds):g}")
    backwards = np.flatnonzero(seconds[1:] < seconds[:-1])
    if len(backwards):
        at = int(backwards[0])
        raise ValueError(
            f"{ELAPSED!r} decreases from {seconds[at]:g} at step {at + 1} to {seconds[at + 1]:g}; it must be cumulative"
        )
    return GivenCurve(seconds=seconds, metrics=arrays)


def _array(name: object, values: Any) -> np.ndarray:
    import numpy as np

    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name!r} is not an array of numbers") from None
    if array.ndim != 1:
        raise ValueError(f"{name!r} has {array.ndim} dimensions; it must have one, with an entry for each step")
    return array


def _first_bad(seconds: np.ndarray) -> float:
    import numpy as np

    return float(seconds[~np.isfinite(seconds) | (seconds < 0)][0])


def _list(names: Any) -> str:
    return ", ".join(sorted(map(repr, names))) or "nothing"
