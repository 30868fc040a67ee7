"""Whether more data would help: compares one configuration trained on fractions of the training data.

The last check of the article that this project is based on: if more data does not help, tune the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.analysis.diagnosis.classify import classify
from orchestrator.analysis.diagnosis.curve import Curve, Series
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.verdict import Kind

BEYOND = 2.0
"""A gain counts if it exceeds this many standard deviations of the fluctuation between reports."""


@dataclass(frozen=True, kw_only=True)
class DataFraction:
    """A training on a fraction of the data."""

    fraction: float
    value: float | None  # the result; None if there is none
    fluctuation: float  # standard deviation of the objective around its trend; 0 if unknown
    unfinished: bool  # whether it was still improving at the end


def fraction_result(fraction: float, value: float | None, objective: Series) -> DataFraction:
    """Summarise a training on a fraction of the data.

    Args:
        fraction: The fraction of the data.
        value: The trial's result.
        objective: The objective at every report.
    """
    ended = classify(Curve(validation=objective))[-1].kind
    return DataFraction(
        fraction=fraction,
        value=value,
        fluctuation=0.0 if objective.shape is None else objective.shape.fluctuation,
        unfinished=ended is Kind.STILL_IMPROVING,
    )


def more_data(metric: str, mode: Literal["min", "max"], shares: Sequence[DataFraction]) -> Finding:
    """Whether the last increase in data improved the result.

    Args:
        metric: The objective's metric.
        mode: The objective's mode.
        shares: At least two trainings, by ascending fraction.
    """
    before, last = shares[-2:]
    if before.value is None or last.value is None:
        lost = next(each for each in (last, before) if each.value is None)
        return Finding(subject="data", sentence=f"training on {lost.fraction:.0%} of the data has no result")
    gain = (before.value - last.value) if mode == "min" else (last.value - before.value)
    noise = BEYOND * max(before.fluctuation, last.fluctuation)
    numbers = {"from": before.fraction, "to": last.fraction, "gain": gain, "noise": noise}
    way = f"from {before.fraction:.0%} to {last.fraction:.0%} of the data"
    moved = f"{metric} went from {before.value:.5g} to {last.value:.5g}"
    if gain > noise and before.unfinished:
        return Finding(
            subject="data",
            sentence=f"{way}, {moved}, but training on {before.fraction:.0%} was still improving at the end; with less"
            " data an epoch has fewer updates, so this does not show yet that more data helps",
            advice="train longer, or try a configuration that learns faster",
            numbers=numbers,
        )
    if gain > noise:
        return Finding(
            subject="data",
            sentence=f"more data still helps: {way}, {moved}",
            advice="get more data before tuning further",
            numbers=numbers,
        )
    chance = f"; reports fluctuate by {noise / BEYOND:.2g}" if noise else ""
    return Finding(
        subject="data",
        sentence=f"more data does not help: {way}, {moved}{chance}",
        advice="tune the model; it does not make full use of its data yet",
        numbers=numbers,
    )
