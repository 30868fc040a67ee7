"""What a trainable is given, and what it owes.

A trainable is ``def train(config, trial)``, or a class with ``__init__(config, trial)`` and ``step()``. It gets a
configuration and a :class:`Trial`, and owes reports: ``trial.report(step=epoch, val_loss=...)``. Nothing here knows
Ray, so the same code runs in a notebook: ``train(config, Trial(config=config))`` collects the reports in
``trial.history``.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from trainables.checkpoints import random_state
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import take
from trainables.process.device import pick_device

RESERVED = frozenset({"trial", "trial_id", "attempt", "step", "train_s", "reported_at", "extra"})
"""Column names of the metrics table that a metric cannot have."""


class TrialEnded(BaseException):
    """Raised inside ``trial.report`` when the trial is to end there: it was stopped, or the sweep ends.

    A BaseException, so that an ``except Exception`` around the training loop does not swallow it; ``finally``
    blocks run as usual.
    """


@dataclass(frozen=True, slots=True)
class Report:
    """Metrics at a step. ``step`` is the trainable's own absolute count (epoch or iteration)."""

    step: int
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """One declared hyperparameter of a trainable: what `sweep check` holds a spec against."""

    name: str
    type: type  # bool, int, float, str, pathlib.Path (a file that must exist) or list
    default: Any  # REQUIRED if there is none
    meaning: str  # one line, units included
    choices: tuple[Any, ...] = ()  # the only values allowed, if not empty
    low: float = -math.inf  # inclusive bounds of numbers
    high: float = math.inf


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "required"})()
"""The default of a hyperparameter that has none."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a trainable says of itself, without importing torch."""

    hyperparameters: tuple[Hyperparameter, ...]
    length: str = ""  # the hyperparameter that counts the steps of a full training, e.g. "epochs"
    metrics: tuple[str, ...] = ()  # the metrics it reports, if it always reports the same
    curves: tuple[str, ...] = ()  # the ones by which its fit is diagnosed: of the training data, of the validation data
    summary: str = field(default="", compare=False)

    def defaults(self) -> dict[str, Any]:
        """The default of every hyperparameter that has one."""
        return {h.name: h.default for h in self.hyperparameters if h.default is not REQUIRED}


T = TypeVar("T", bound=Callable[..., Any])


def declare(
    *hyperparameters: Hyperparameter,
    length: str = "",
    metrics: tuple[str, ...] = (),
    curves: tuple[str, ...] = (),
    evaluate: Callable[..., Mapping[str, float]] | None = None,
) -> Callable[[T], T]:
    """Decorate a trainable with its hyperparameters. A trainable without it opts out of name checks.

    Args:
        hyperparameters: All that the trainable reads from its configuration.
        length: The name of the one that counts the steps of a full training; ASHA takes its maximum from there.
        metrics: The metrics it reports.
        curves: The two by which `sweep show --diagnosis` judges a training: that of the training data, and that of the
            validation data; only the first, if there is no other. If left out: train_loss and val_loss, or metrics with
            names like these.
        evaluate: Scores a function's trained model on the test part; ``train.evaluate = ...`` says the same. See
            :mod:`trainables.evaluation`.
    """

    def decorate(trainable: T) -> T:
        summary = (trainable.__doc__ or "").strip().partition("\n")[0]
        trainable.declaration = Declaration(  # type: ignore[attr-defined]
            hyperparameters=hyperparameters, length=length, metrics=metrics, curves=curves, summary=summary
        )
        if evaluate is not None:
            trainable.evaluate = evaluate  # type: ignore[attr-defined]
        return trainable

    return decorate


def declaration_of(trainable: object) -> Declaration | None:
    """What the trainable declares; None if it opted out."""
    declaration = getattr(trainable, "declaration", None)
    return declaration if isinstance(declaration, Declaration) else None


class Trial:
    """One configuration being trained, as the trainable sees it.

    Attributes:
        config: The hyperparameters, fixed ones and declared defaults included.
        number: The trial's number in its sweep, from 0.
        seed: An integer in [0, 2**31) of its own; random, numpy and torch are seeded with it before it starts.
        history: The reports so far, where nothing else takes them (in a notebook, in a test).
    """

    def __init__(
        self,
        *,
        config: Mapping[str, Any],
        number: int = 0,
        seed: int = 0,
        directory: Path | None = None,
        device: str | None = None,
        sink: Callable[[Report], None] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Without a directory nothing is saved. Without checkpoints of its own, each save is written at once.

        Args:
            config, number, seed: The attributes.
            directory: The trial's own; made when it is needed.
            device: Where to train, if torch is not to choose.
            sink: Takes the reports instead of ``history``.
            checkpoints: Takes what is saved; else it is in the directory's ``checkpoints``.
        """
        self.config = dict(config)
        self.number = number
        self.seed = seed
        self.history: list[Report] = []
        self._directory = directory
        self._device = device
        self._sink = sink or self.history.append
        self._last_step: int | None = None
        if checkpoints is None and directory is not None:
            checkpoints = Checkpoints(directory / "checkpoints")
        self._checkpoints = checkpoints

    @cached_property
    def directory(self) -> Path:
        """The trial's own directory, made when it is first asked for. What is written there stays."""
        if self._directory is None:
            return Path(tempfile.mkdtemp(prefix="trial-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory

    @cached_property
    def device(self) -> str:
        """Where to train: "cuda", "mps" or "cpu"; what torch finds, unless it was given."""
        if self._device is not None:
            return self._device
        return pick_device()

    def report(self, *, step: int, **metrics: float) -> None:
        """Report metrics at a step; returns unless the trial is to end here.

        Args:
            step: The trainable's own absolute count, greater than at the last report.
            metrics: Numbers: Python's, numpy's, or tensors of one element. NaN and infinities are allowed, and
                end the trial as diverged if they are the objective.

        Raises:
            ValueError: The step does not grow, there are no metrics, or one has a reserved name.
            TypeError: The step is no integer, or a metric is no number.
            TrialEnded: The trial is to end here.
        """
        step = _whole(step, "report")
        if step < 0 or (self._last_step is not None and step <= self._last_step):
            raise ValueError(
                f"report(step={step}): a step is a count that grows from report to report"
                + (f"; the last was {self._last_step}" if self._last_step is not None else "")
            )
        if not metrics:
            raise ValueError("report() needs at least one metric, as in report(step=1, val_loss=0.3)")
        values = {}
        for name, value in metrics.items():
            if name in RESERVED:
                raise ValueError(f"report({name}=…): {name!r} is a column of the records; give the metric another name")
            try:
                values[name] = as_number(value)
            except (TypeError, ValueError, RuntimeError):
                raise TypeError(
                    f"report({name}={value!r}): a metric is one number, got {type(value).__name__}"
                ) from None
        self._last_step = step
        self._sink(Report(step, values))

    def save(self, *, step: int, **state: Any) -> None:
        """Keep the state after a step, so that the trial can go on from there; also the random generators' states.

        The state is copied before this returns, and written beside the training, at intervals (trial.save_every)
        and at the trial's end. Save before the report of the step: at the last one the trial may be ended inside
        ``report``. The checkpoint of the best report stays if both come at the same steps.

        Args:
            step: As in ``report``.
            state: All that a step changes: what has a ``state_dict()``, as model=model, optimizer=optimizer; or
                numbers, strings, tensors, and lists, tuples and dicts of these.

        Raises:
            TypeError: The step is no integer, or something cannot be saved; the message names it.
        """
        step = _whole(step, "save")
        if self._checkpoints is None:
            take(step, state)  # so that a mistake shows
        else:
            self._checkpoints.save(step, state)

    def restore(self) -> dict[str, Any] | None:
        """The state that was saved last, if the trial has been run before; None if it begins.

        Under each name is what was saved there, or its ``state_dict()``, with tensors on the CPU; "step" is the step
        it was saved at. The random generators are set to where they stood, so restore last, when model and data are
        made: the training then goes on as if it had never been interrupted.
        """
        restored = self._checkpoints.restore() if self._checkpoints is not None else None
        if restored is None:
            return None
        random_state.restore(restored.random)
        return restored.restored()


def as_number(value: Any) -> float:
    """A metric: a number of Python's or numpy's, or a tensor of one element. Text is none, whatever it says.

    Raises:
        TypeError, ValueError, RuntimeError: It is no single number.
    """
    if isinstance(value, str | bytes):
        raise TypeError
    if hasattr(value, "detach"):
        value = value.detach()  # else torch warns of a loss that still has its graph
    return float(value)


def _whole(step: int, method: str) -> int:
    if isinstance(step, bool) or not hasattr(step, "__index__"):
        raise TypeError(f"{method}(step=…) takes an integer, got {step!r}")
    return step.__index__()


def run(trainable: Callable[..., Any], trial: Trial) -> None:
    """Train one trial to its end: call the function, or step the class until it returns None.

    A class with ``state_dict()`` and ``load_state_dict(state)`` is saved after each step and goes on from there: the
    state must be all that ``step()`` changes.
    """
    if not isinstance(trainable, type):
        trainable(trial.config, trial)
        return
    model, restored = restored_model(trainable, trial)
    saves = hasattr(model, "state_dict") and hasattr(model, "load_state_dict")
    for step in itertools.count(restored + 1):
        metrics = model.step()
        if metrics is None:
            return
        if not isinstance(metrics, Mapping):
            raise TypeError(f"step() returns a mapping of metrics, or None at the end; it returned {metrics!r:.80}")
        if saves:
            trial.save(step=step, model=model)
        trial.report(step=step, **metrics)


def restored_model(trainable: type, trial: Trial) -> tuple[Any, int]:
    """An instance of a class that is trained, in the state that was saved last; and the step of that, 0 if none."""
    model = trainable(trial.config, trial)
    if not (hasattr(model, "state_dict") and hasattr(model, "load_state_dict")):
        return model, 0
    restored = trial.restore()
    if restored is None:
        return model, 0
    model.load_state_dict(restored["model"])
    return model, restored["step"]
