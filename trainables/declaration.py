"""What a trainable declares: its hyperparameters, its metrics, and how its data is checked; `sweep check` reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trainables.data.problems import DataProblem


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """A hyperparameter that a trainable declares. `sweep check` compares the spec with it.

    Attributes:
        name: The name in the configuration.
        type: bool, int, float, str, list, or pathlib.Path for a file or folder that must exist.
        default: The value if the spec does not give one; ``REQUIRED`` if it must.
        meaning: One line for people, with the unit.
        choices: The only values allowed; empty: any value of the type.
        low: The least number allowed.
        high: The greatest number allowed.
        search: The distribution that `sweep init --builtin` proposes, as in a spec: ``{"loguniform": [1e-4, 1e-1]}``.
            None: it is not worth searching.
        first: Whether it is proposed to be searched from the beginning, rather than later.
    """

    name: str
    type: type
    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    search: Mapping[str, Any] | None = None
    first: bool = False


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "required"})()
"""The default of a hyperparameter that the spec must give."""


CheckData = Callable[[Mapping[str, Any]], Iterable[DataProblem]]
"""Looks into the data that a configuration names, without training."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a trainable declares. Reading it imports no torch."""

    hyperparameters: tuple[Hyperparameter, ...]
    length: str = ""  # the hyperparameter that counts the steps of a full training, e.g. "epochs"
    metrics: tuple[str, ...] = ()  # the metrics it reports, if it always reports the same
    curves: tuple[str, ...] = ()  # the ones by which its fit is diagnosed: of the training data, of the validation data
    summary: str = field(default="", compare=False)
    define_by_run: bool = False  # it names its hyperparameters and their ranges as it runs
    check_data: CheckData | None = field(default=None, compare=False, repr=False)

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
    check_data: CheckData | None = None,
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
        check_data: A function ``check_data(config)`` that looks into the data before anything starts, for
            `sweep check`, `plan`, `try` and `launch`. It gets a complete configuration, whose paths lead to the files
            from here, and yields or returns a :class:`~trainables.data.problems.DataProblem` for each problem. It is
            called again for other values of what it has read of the configuration, so it reads only what decides about
            the data. It imports no torch, and takes a second at most.

    Returns:
        The decorator. It returns the trainable itself, with an attribute ``declaration``.
    """

    def decorate(trainable: T) -> T:
        summary = (trainable.__doc__ or "").strip().partition("\n")[0]
        trainable.declaration = Declaration(  # type: ignore[attr-defined]
            hyperparameters=hyperparameters,
            length=length,
            metrics=metrics,
            curves=curves,
            summary=summary,
            check_data=check_data,
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
