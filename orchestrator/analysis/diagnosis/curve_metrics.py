"""Chooses which metrics are the training and validation curve: as declared, by convention, or by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

CONVENTION = ("train_loss", "val_loss")

_TRAIN = r"(?:train|training|tr|fit)"
_VALIDATION = r"(?:val|valid|validation|dev|eval|test)"
_LATER = re.compile(r"test", re.I)
_MORE_IS_BETTER = re.compile(
    r"acc|auc|auroc|f1|f_?score|precision|recall|r2|r_?squared|reward|return|score|iou|dice|map$|bleu|rouge|correct",
    re.I,
)
_LOSSES = re.compile(r"loss|error|err$|mse|mae|nll|entropy|perplexity|ppl|rmse|cost", re.I)


@dataclass(frozen=True, kw_only=True)
class CurveMetrics:
    """The metrics used as training and validation curve; "" if there is none."""

    train: str = ""
    validation: str = ""
    train_mode: Literal["min", "max"] = "min"
    validation_mode: Literal["min", "max"] = "min"
    how: Literal["declared", "by convention", "by their names", "the objective"] = "by convention"

    def __str__(self) -> str:
        return " and ".join(name for name in (self.train, self.validation) if name) or "no metric"


def choose_curve_metrics(
    metrics: Collection[str], *, objective: str, mode: Literal["min", "max"], declared: Sequence[str] = ()
) -> CurveMetrics:
    """Choose the curves among the reported metrics.

    Args:
        metrics: Names of the reported metrics.
        objective: The objective's metric, used as validation curve if no name suggests another.
        mode: The objective's mode.
        declared: The training and the validation metric, as the trainable declares them.
    """

    def chosen(
        train: str, validation: str, how: Literal["declared", "by convention", "by their names"]
    ) -> CurveMetrics:
        modes = {name: mode if name == objective else _mode(name) for name in (train, validation)}
        return CurveMetrics(
            train=train, validation=validation, train_mode=modes[train], validation_mode=modes[validation], how=how
        )

    train, validation = (*declared, "", "")[:2]
    if train in metrics or validation in metrics:
        return chosen(train if train in metrics else "", validation if validation in metrics else "", "declared")
    if CONVENTION[0] in metrics and CONVENTION[1] in metrics:
        return chosen(*CONVENTION, "by convention")
    pairs = sorted(_pairs(metrics), key=lambda pair: (objective not in pair, not _LOSSES.search(pair[0]), pair))
    if pairs:
        return chosen(*pairs[0], "by their names")
    for name in sorted(metrics, key=lambda name: (name != objective, not _LOSSES.search(name), name)):
        if _part(name, _VALIDATION) is not None:
            return chosen("", name, "by their names")
        if _part(name, _TRAIN) is not None or name.lower() == "loss":
            return chosen(name, "", "by their names")
    if objective in metrics:
        return CurveMetrics(validation=objective, validation_mode=mode, how="the objective")
    return CurveMetrics()


def _pairs(metrics: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of a training metric and the matching validation metric."""
    validations: dict[str, str] = {}
    for name in sorted(metrics, key=lambda name: (bool(_LATER.search(name)), name)):
        if (stem := _part(name, _VALIDATION)) is not None:
            validations.setdefault(stem, name)
    found = []
    for name in sorted(metrics):
        stem = _part(name, _TRAIN)
        if stem is None and _part(name, _VALIDATION) is None:
            stem = name.lower()  # as in Keras: loss and val_loss
        if stem is not None and stem in validations:
            found.append((name, validations[stem]))
    return found


def _part(name: str, part: str) -> str | None:
    """The quantity a metric measures, if its name has this data split in it: ``val_loss`` → ``loss``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    found = re.fullmatch(rf"{part}[_/.\-\s]+(.+)|(.+)[_/.\-\s]+{part}", words)
    return None if found is None else found[1] or found[2]


def _mode(name: str) -> Literal["min", "max"]:
    return "max" if _MORE_IS_BETTER.search(name) and not _LOSSES.search(name) else "min"
