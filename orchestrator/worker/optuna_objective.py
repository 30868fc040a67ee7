"""Runs an unmodified objective of Optuna, ``objective(trial)``, as a trainable.

The objective gets a trial with the methods of Optuna's that objectives call. What it asks for comes from the sweep, as
far as earlier trials have found it; the rest is drawn here, from the trial's seed and the name alone, so that another
attempt at the trial gets the same. Optuna itself is not imported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from orchestrator.space.distributions import distribution_of
from orchestrator.space.values import is_recordable
from orchestrator.spec.sections import ParameterName
from trainables.report import wrong_metric_name
from trainables.trial import Trial, TrialEnded

T = TypeVar("T")

_NOTHING = object()
_NAME: TypeAdapter[str] = TypeAdapter(ParameterName)


class ObjectiveTrial:
    """What an objective sees of its trial, as ``optuna.trial.Trial`` has it.

    Attributes:
        number: The number of the trial.
        params: What the objective has asked for so far.
        user_attrs: What it has noted by ``set_user_attr``. Numbers become metrics of its next report.
    """

    def __init__(self, trial: Trial, metric: str) -> None:
        """
        Args:
            trial: Takes the reports, and has the values that the sweep proposes.
            metric: The name of what the objective reports and returns.
        """
        self._trial = trial
        self._metric = metric
        self._last: tuple[int, float] | None = None
        self._new_attrs: dict[str, float] = {}
        self.ended: TrialEnded | None = None  # once the sweep has ended the trial
        self.number = trial.number
        self.params: dict[str, Any] = {}
        self.user_attrs: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"trial.{name}: a sweep has no study of Optuna; an objective can use trial.suggest_…, report, should_prune,"
            " set_user_attr, user_attrs, params and number"
        )

    # Parameters --------------------------------------------------------------------------------------------------

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number in [low, high], in steps if ``step`` is given, by its logarithm if ``log`` is true."""
        form = "loguniform" if log else "uniform"
        return float(self._number(name, form, low, high, step=step, log=log, kind=float))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """An integer in [low, high], both included."""
        form = "logint" if log else "int"
        return int(self._number(name, form, low, high, step=None if step == 1 else step, log=log, kind=int))

    def suggest_categorical(self, name: str, choices: Iterable[T]) -> T:
        """One of the choices: None, true or false, numbers or text."""
        options = list(choices)
        if strange := [each for each in options if not is_recordable(each)]:
            raise ValueError(f"suggest_categorical({name!r}): {strange[0]!r:.80} cannot be recorded; use a name for it")
        value = self._suggested(name, {"choice": options})
        place = distribution_of({"choice": options}).to_unit(value)
        chosen = options[int(place * len(options))]  # as it is written: 1 among 0.5 and 2.5 is recorded as 1.0
        self.params[name] = chosen
        return chosen

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """As ``suggest_float``; Optuna's older name."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """As ``suggest_float`` with ``log=True``; Optuna's older name."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """As ``suggest_float`` with ``step=q``; Optuna's older name."""
        return self.suggest_float(name, low, high, step=q)

    def _number(
        self, name: str, form: str, low: Any, high: Any, *, step: Any, log: bool, kind: Callable[[Any], Any]
    ) -> Any:
        low, high = kind(low), kind(high)
        if log and step is not None:
            raise ValueError(f"{name}: a parameter has either a step or a logarithmic scale, as in Optuna")
        if low == high:
            return self._suggested(name, {"choice": [low]})
        distribution = {form: [low, high]} if step is None else {form: [low, high], "step": kind(step)}
        return self._suggested(name, distribution)

    def _suggested(self, name: str, written: dict[str, Any]) -> Any:
        """The value of a parameter: asked for before, fixed, proposed, or drawn."""
        try:
            _NAME.validate_python(name)
            distribution = distribution_of(written)
        except ValidationError as error:
            raise ValueError(f"trial.suggest_…({name!r}, …): {_problem(error)}") from None
        before = self._trial.suggested.get(name)
        if before is not None:
            value, distribution_before = before
            if distribution_before != written:
                raise ValueError(f"{name} is asked for as {written}, and was {distribution_before} before")
            return value
        proposed = self._proposed(name)
        if proposed is _NOTHING:
            value = distribution.from_unit(random.Random(f"{self._trial.seed}/{name}").random())
        elif distribution.contains(proposed):
            value = distribution.snap(proposed)
        else:
            raise ValueError(
                f"the sweep has {name} = {proposed!r}, which is not in {distribution.written()}: a parameter"
                " has one range in all trials, and a fixed value is in it"
            )
        self._trial.suggested[name] = value, written
        self.params[name] = value
        return value

    def _proposed(self, name: str) -> Any:
        """What the sweep has for a parameter: fixed or proposed, in a group if its name has dots."""
        found: Any = self._trial.config
        for part in name.split("."):
            found = found.get(part, _NOTHING) if isinstance(found, Mapping) else _NOTHING
        return found

    # Reports -----------------------------------------------------------------------------------------------------

    def report(self, value: float, step: int) -> None:
        """Report the objective at a step; another report of a step is ignored.

        When the sweep ends the trial here, ``should_prune`` is true from now on, and the next report ends the trial.
        """
        if self._last is not None and step == self._last[0]:
            return
        try:
            self._send(step, float(value))
        except TrialEnded as ended:
            if self.ended is not None:
                raise
            self.ended = ended

    def should_prune(self) -> bool:
        """Whether the sweep has ended the trial at its last report."""
        return self.ended is not None

    def set_user_attr(self, key: str, value: Any) -> None:
        """Note something about the trial: a number is a metric of its next report, all else is written to its log."""
        self.user_attrs[key] = value
        if (
            isinstance(value, Real)
            and not isinstance(value, bool)
            and not wrong_metric_name(key)
            and key != self._metric
        ):
            self._new_attrs[key] = float(value)
        else:
            print(f"{key}: {value}")

    def returned(self, value: float) -> None:
        """Report what the objective has returned, unless it was its last report."""
        if self._last is None:
            self._send(1, value)
        elif value != self._last[1] or self._new_attrs:
            self._send(self._last[0] + 1, value)

    def _send(self, step: int, value: float) -> None:
        self._last = step, value
        attributes, self._new_attrs = self._new_attrs, {}
        self._trial.report(step=step, **{self._metric: value}, **attributes)


def run(objective: Callable[[Any], Any], trial: Trial, metric: str) -> None:
    """Call the objective, and report what it returns.

    Args:
        objective: Takes a trial of Optuna.
        trial: Takes the reports.
        metric: The name of the objective in the spec.

    Raises:
        TypeError: The objective returned no number, or several.
        TrialEnded: The sweep has ended the trial.
        FloatingPointError: The objective pruned a trial itself that has reported nothing: it counts as diverged.
    """
    seen = ObjectiveTrial(trial, metric)
    try:
        value = objective(seen)
    except Exception as error:
        if not _is_pruned(error):
            raise
        if seen.ended is None and seen._last is None:
            raise FloatingPointError(f"the objective pruned the trial{f': {error}' if str(error) else ''}") from None
        value = None if seen._last is None else seen._last[1]
    if seen.ended is not None:
        raise seen.ended
    seen.returned(_one_number(value, getattr(objective, "__name__", "the objective")))


def _one_number(value: Any, name: str) -> float:
    if isinstance(value, list | tuple):
        raise TypeError(
            f"{name} returned {len(value)} values, and a sweep has one objective: return one of them, and note the"
            " others by trial.set_user_attr"
        )
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} returned {value!r:.80}, and an objective returns a number") from None


def _is_pruned(error: Exception) -> bool:
    """Whether it is ``optuna.TrialPruned``."""
    return any(each.__name__ == "TrialPruned" and each.__module__.startswith("optuna") for each in type(error).__mro__)


def _problem(error: ValidationError) -> str:
    return error.errors(include_url=False)[0]["msg"]
