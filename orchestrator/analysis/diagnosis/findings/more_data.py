"""Whether more data would help: one configuration, trained on shares of the training data.

The last of the signs of the article that this project comes from: where more data brings nothing, tuning has to.
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
"""How many standard deviations of its fluctuation, from report to report, a gain must be to count."""


@dataclass(frozen=True, kw_only=True)
class DataFraction:
    """A training on a share of the data."""

    fraction: float
    value: float | None  # what it came to; None if it has no result
    fluctuation: float  # of the objective around its trend, as a standard deviation; 0 if it is not known
    unfinished: bool  # whether it was still getting better at its end


def fraction_result(fraction: float, value: float | None, objective: Series) -> DataFraction:
    """How the training on a share went.

    Args:
        fraction: The share.
        value: The trial's result.
        objective: All that it reported of it.
    """
    ended = classify(Curve(validation=objective))[-1].kind
    return DataFraction(
        fraction=fraction,
        value=value,
        fluctuation=0.0 if objective.shape is None else objective.shape.fluctuation,
        unfinished=ended is Kind.STILL_IMPROVING,
    )


def more_data(metric: str, mode: Literal["min", "max"], shares: Sequence[DataFraction]) -> Finding:
    """Whether the last step up in data still brought something.

    Args:
        metric: The objective.
        mode: Its.
        shares: At least two, from the smallest to the largest.
    """
    before, last = shares[-2:]
    if before.value is None or last.value is None:
        lost = next(each for each in (last, before) if each.value is None)
        return Finding(subject="data", sentence=f"the training on {lost.fraction:.0%} of the data has no result")
    gain = (before.value - last.value) if mode == "min" else (last.value - before.value)
    noise = BEYOND * max(before.fluctuation, last.fluctuation)
    numbers = {"from": before.fraction, "to": last.fraction, "gain": gain, "noise": noise}
    way = f"from {before.fraction:.0%} to {last.fraction:.0%} of the data"
    moved = f"{metric} went from {before.value:.5g} to {last.value:.5g}"
    if gain > noise and before.unfinished:
        return Finding(
            subject="data",
            sentence=f"{way}, {moved}; but on {before.fraction:.0%} it was still getting better at its end: of fewer"
            " data an epoch makes fewer updates, so this is no sign yet that more data helps",
            advice="train longer, or try a configuration that learns faster",
            numbers=numbers,
        )
    if gain > noise:
        return Finding(
            subject="data",
            sentence=f"more data still helps: {way}, {moved}",
            advice="get more data, before you tune on",
            numbers=numbers,
        )
    chance = f", and reports fluctuate by {noise / BEYOND:.2g}" if noise else ""
    return Finding(
        subject="data",
        sentence=f"more data does not help: {way}, {moved}{chance}",
        advice="tune the model: it does not use the data that it has",
        numbers=numbers,
    )
