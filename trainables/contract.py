"""The contract between a sweep and what it trains.

A trainable is a function ``train(config, trial)``, or a class with ``__init__(config, trial)`` and ``step()``. It is
called with a configuration and a :class:`Trial`, and reports metrics: ``trial.report(step=epoch, val_loss=...)``.
Nothing here knows Ray, so the same code runs in a test or a notebook: ``train(config, Trial(config=config))`` collects
the reports in ``trial.history``.
"""

from __future__ import annotations

import copy
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from trainables.checkpoints import random_state
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import take
from trainables.process.device import pick_device
from trainables.report import Report as Report

RESERVED = frozenset({"trial", "trial_id", "attempt", "step", "train_s", "reported_at", "extra"})
"""Column names of the metrics table that a metric cannot have."""


class TrialEnded(BaseException):
    """Raised by ``trial.report`` when the trial must end: the scheduler stopped it, or the sweep ends.

    A BaseException, so that an ``except Exception`` around the training loop does not catch it. ``finally`` blocks run
    as usual.
    """


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """A hyperparameter that a trainable declares. `sweep check` compares the spec with it.

    Attributes:
        name: The name in the configuration.
        type: bool, int, float, str, list, or pathlib.Path for a file that must exist.
        default: The value if the spec does not give one; ``REQUIRED`` if it must.
        meaning: One line for people, with the unit.
        choices: The only values allowed; empty: any value of the type.
        low: The least number allowed.
        high: The greatest number allowed.
    """

    name: str
    type: type
    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "required"})()
"""The default of a hyperparameter that the spec must give."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a trainable declares. Reading it imports no torch."""

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
    prepare: Callable[[Mapping[str, Any]], object] | None = None,
) -> Callable[[T], T]:
    """Decorate a trainable with what it reads and reports, so that `sweep check` finds wrong names before a launch.

    Without this decorator any name is accepted.

    Args:
        hyperparameters: Everything that the trainable reads from its configuration.
        length: The name of the hyperparameter that counts the steps of a full training, such as "epochs". ASHA takes
            its maximum from it.
        metrics: The metrics that the trainable reports, if they are always the same.
        curves: The metrics by which `sweep show --diagnosis` judges a training: first the one on the training data,
            then the one on the validation data, if there is one. Default: train_loss and val_loss, or metrics with
            similar names.
        evaluate: A function ``evaluate(config, trial)`` that scores a trained model on test data, for
            `sweep best --evaluate`. Setting ``train.evaluate`` does the same.
        prepare: A function ``prepare(fixed)`` that loads what all trials share. It gets the fixed values and the
            declared defaults, once in each process in which trials run or from which they are forked,
            and must not use the GPU. Setting
            ``train.prepare`` does the same.

    Returns:
        The decorator. It returns the trainable itself, with an attribute ``declaration``.
    """

    def decorate(trainable: T) -> T:
        summary = (trainable.__doc__ or "").strip().partition("\n")[0]
        trainable.declaration = Declaration(  # type: ignore[attr-defined]
            hyperparameters=hyperparameters, length=length, metrics=metrics, curves=curves, summary=summary
        )
        if evaluate is not None:
            trainable.evaluate = evaluate  # type: ignore[attr-defined]
        if prepare is not None:
            trainable.prepare = prepare  # type: ignore[attr-defined]
        return trainable

    return decorate


def declaration_of(trainable: object) -> Declaration | None:
    """What the trainable declares; None if it has no declaration."""
    declaration = getattr(trainable, "declaration", None)
    return declaration if isinstance(declaration, Declaration) else None


class Trial:
    """A trial as its trainable sees it: what to train, where, and whom to tell.

    Attributes:
        config: The hyperparameters, with fixed values and declared defaults.
        number: The number of the trial in its sweep, from 0.
        seed: An integer in [0, 2**31), different for every trial. The sweep seeds random, numpy and torch with it
            before the trial starts.
        history: The reports so far, if nothing else takes them: in a test or a notebook, not in a sweep.
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
        train_s: Callable[[], float] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Make a trial by hand, in a test or a notebook; a sweep makes its own.

        Args:
            config: The hyperparameters.
            number: The number of the trial.
            seed: Stored only; seed the random generators yourself.
            directory: The directory of the trial, made when it is needed. None: nothing is saved.
            device: The device to train on. None: the one that torch finds.
            sink: Called with each report, which then is not added to ``history``.
            train_s: Returns the seconds of training so far. None: the seconds since the trial was made.
            checkpoints: Where states are saved. None: in ``directory / "checkpoints"``, each as soon as it is saved.
        """
        self.config = copy.deepcopy(dict(config))
        self.number = number
        self.seed = seed
        self.history: list[Report] = []
        self._directory = directory
        self._device = device
        self._sink = sink or self.history.append
        began = time.monotonic()
        self._train_s = train_s or (lambda: time.monotonic() - began)
        self._last_step: int | None = None
        if checkpoints is None and directory is not None:
            checkpoints = Checkpoints(directory / "checkpoints")
        self._checkpoints = checkpoints

    @cached_property
    def directory(self) -> Path:
        """A directory for the trial's own files, created on first use. The sweep does not delete it."""
        if self._directory is None:
            return Path(tempfile.mkdtemp(prefix="trial-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory

    @cached_property
    def device(self) -> str:
        """The device to train on: "cuda", "mps" or "cpu", whichever torch finds first."""
        if self._device is not None:
            return self._device
        return pick_device()

    def report(self, *, step: int, **metrics: float) -> None:
        """Report metrics at a step. Returns if the trial goes on.

        Args:
            step: Epochs or iterations so far, counted from the beginning of the training, also after a restore. Must be
                greater than in the last report.
            metrics: One number each: of Python, of numpy, or a tensor of one element. NaN and infinity are allowed; as
                the objective they end the trial as diverged.

        Raises:
            ValueError: The step is not greater than the last one, there are no metrics, or one has a reserved name.
            TypeError: The step is not an integer, or a metric is not a number.
            TrialEnded: The trial must end here. Let it pass.
        """
        step = _whole(step, "report")
        if step < 0:
            raise ValueError(f"report(step={step}): a step must not be negative")
        if self._last_step is not None and step <= self._last_step:
            raise ValueError(f"report(step={step}): the step must be greater than the last one, {self._last_step}")
        if not metrics:
            raise ValueError("report() needs at least one metric, as in report(step=1, val_loss=0.3)")
        values = {}
        for name, value in metrics.items():
            if name in RESERVED:
                raise ValueError(f"report({name}=…): {name!r} is a column of the records, so it cannot name a metric")
            try:
                values[name] = as_number(value)
            except (TypeError, ValueError, RuntimeError):
                raise TypeError(
                    f"report({name}={value!r}): a metric must be one number, not {type(value).__name__}"
                ) from None
        self._last_step = step
        self._sink(Report(step=step, metrics=values, reported_at=time.time(), train_s=self._train_s()))

    def save(self, *, step: int, **state: Any) -> None:
        """Save the state after a step, so that the trial can continue from it. Random generators are saved as well.

        The state is copied before ``save`` returns. Files are written in the background, at intervals
        (``trial.save_every`` in the spec), where the trial may pause, and when it ends. Save before you report the
        step, because ``report`` may end or pause the trial. To have the checkpoint of the best report, and to be paused
        at any rung rather than stopped, save at every step that you report.

        Args:
            step: The step as in ``report``.
            state: Everything that a step changes: objects with a ``state_dict()``, as in
                ``model=model, optimizer=optimizer``, or numbers, strings, tensors, and lists, tuples and dicts of them.

        Raises:
            TypeError: The step is not an integer, or something cannot be saved; the error names it.
        """
        step = _whole(step, "save")
        if self._checkpoints is None:
            take(step, state)  # so that a mistake shows
        else:
            self._checkpoints.save(step, state)

    def restore(self) -> dict[str, Any] | None:
        """The last saved state if the trial was interrupted; None if the trial starts from the beginning.

        The random generators are set to their saved states as well. So call ``restore`` after the model and the data
        are made: the training then continues as if it had not been interrupted.

        Returns:
            Each saved object under its name (as its ``state_dict()``, if it has one), with tensors on the CPU, and the
            step of the save under "step". Or None.
        """
        restored = self._checkpoints.restore() if self._checkpoints is not None else None
        if restored is None:
            return None
        random_state.restore(restored.random)
        return restored.restored()


def as_number(value: Any) -> float:
    """A metric as a float: from a number of Python or numpy, or a tensor of one element. Text is refused.

    Raises:
        TypeError, ValueError, RuntimeError: The value is not a single number.
    """
    if isinstance(value, str | bytes):
        raise TypeError
    if hasattr(value, "detach"):
        value = value.detach()  # else torch warns of a loss that still has its graph
    return float(value)


def _whole(step: int, method: str) -> int:
    if isinstance(step, bool) or not hasattr(step, "__index__"):
        raise TypeError(f"{method}(step=…) takes an integer, not {step!r}")
    return step.__index__()


class TrainableClass(Protocol):
    """The class form of a trainable: the sweep calls ``step()`` until it returns None, and reports what it returns.

    A class that also has ``state_dict()`` and ``load_state_dict(state)`` is saved after every step, and an interrupted
    trial continues from there. The state must be everything that ``step()`` changes. A method ``evaluate()`` that
    returns scores by name is what `sweep best --evaluate` calls, after the state of the best trial was loaded.
    """

    def __init__(self, config: Mapping[str, Any], trial: Trial) -> None:
        """Make the model and the data.

        Args:
            config: The hyperparameters, with fixed values and declared defaults.
            trial: The trial: its device, seed and directory.
        """

    def step(self) -> Mapping[str, float] | None:
        """Train for one step, such as an epoch.

        Returns:
            The metrics of the step, one number each; None if the training is complete. Steps are counted from 1.
        """


def run(trainable: Callable[..., Any], trial: Trial) -> None:
    """Train one trial to its end: call the function, or step the class until it returns None.

    Raises:
        TrialEnded: The trial must end.
        TypeError: ``step()`` returned something other than metrics or None.
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
            raise TypeError(f"step() must return a mapping of metrics, or None at the end, not {metrics!r:.80}")
        if saves:
            trial.save(step=step, model=model)
        trial.report(step=step, **metrics)


def restored_model(trainable: type, trial: Trial) -> tuple[Any, int]:
    """An instance of a trainable class with its last saved state loaded, and the step of that state (0: none)."""
    model = trainable(trial.config, trial)
    if not (hasattr(model, "state_dict") and hasattr(model, "load_state_dict")):
        return model, 0
    restored = trial.restore()
    if restored is None:
        return model, 0
    model.load_state_dict(restored["model"])
    return model, restored["step"]
