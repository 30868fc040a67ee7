"""The data that the charts draw: plain values for JSON, with one column per property of the trials.

Numbers keep only as many digits as are visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.analysis.report.data import Axis, Cell, ReportData
from orchestrator.core.rows import State

DIGITS = 6
"""Significant digits of results and parameters; a result is shown with fewer, by the spread of the results."""

LETTERS = 200
"""The most characters of a reason or a diagnosis."""

DIGITS_DRAWN = 4
"""Significant digits of a curve: a chart has about a thousand pixels."""


def chart_data(data: ReportData) -> dict[str, Any]:
    """The values that the charts draw."""
    words = {axis.name: {word: number for number, word in enumerate(axis.words)} for axis in data.axes}

    def cell(axis: Axis, cells: Mapping[str, Cell]) -> float | int | None:
        value = cells.get(axis.name)
        return words[axis.name].get(value) if isinstance(value, str) else _rounded(value, DIGITS)

    points, curves, began = data.points, data.curves, min((each[0] for each in data.timeline.sessions), default=0.0)
    return {
        "sweep": data.info.name,
        "objective": asdict(data.objective),
        "spread": data.overview.spread,
        "best": None if data.best is None else data.best.ranked.trial,
        "states": [state.value for state in State],
        "trials": {
            "trial": [point.trial for point in points],
            "state": [list(State).index(point.state) for point in points],
            "value": [_rounded(point.value, DIGITS) for point in points],
            "step": [point.step for point in points],
            "lastStep": [point.last_step for point in points],
            "seconds": [_rounded(point.train_s, DIGITS_DRAWN) for point in points],
            "reason": [point.reason[:LETTERS] for point in points],
            "verdict": [point.verdict for point in points],
            "because": [point.because[:LETTERS] for point in points],
            "cells": {axis.name: [cell(axis, point.cells) for point in points] for axis in data.axes},
        },
        "axes": [asdict(axis) for axis in data.axes],
        "result": None if data.result is None else asdict(data.result),
        "curves": {
            "metrics": curves.metrics,
            "scales": [asdict(scale) for scale in curves.scales],
            "curves": [
                [
                    curve.trial,
                    curve.steps,
                    *([_rounded(value, DIGITS_DRAWN) for value in values] for values in curve.values),
                ]
                for curve in curves.curves
            ],
        },
        "unit": data.unit,
        "rungs": [
            {"bracket": rung.bracket, "rung": rung.rung, "cutoff": _rounded(rung.cutoff, DIGITS)} for rung in data.rungs
        ],
        "logs": {
            "held": data.logs.held,
            "ends": [[end.trial, end.text, end.before] for end in data.logs.ends],
        },
        "progress": {
            "unit": data.progress.unit,
            "ends": [[end.trial, _rounded(end.spent, DIGITS)] for end in data.progress.ends],
        },
        "timeline": {
            "lanes": data.timeline.lanes,
            "sessions": [[round(time - began, 2) for time in session] for session in data.timeline.sessions],
            "spans": [
                [
                    each.trial,
                    each.attempt,
                    each.lane,
                    round(each.began - began, 2),
                    round(each.ended - began, 2),
                    each.outcome,
                ]
                for each in data.timeline.spans
            ],
        },
        "divergence": None if data.divergence is None else asdict(data.divergence),
        "weights": [
            {
                "name": each.name,
                **{end: _rounded(float(getattr(each, end)), DIGITS) for end in ("share", "low", "high")},
            }
            for each in data.importance.weights
        ],
    }


def _rounded(value: float | str | None, digits: int) -> float | int | None:
    """None for values that JSON lacks. Whole numbers lose their ``.0``."""
    if not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
