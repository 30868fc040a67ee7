"""Curves with a shape that somebody drew."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from orchestrator.analysis.diagnosis.curve import Curve, build_curve
from orchestrator.analysis.diagnosis.curve_metrics import CurveMetrics
from orchestrator.analysis.diagnosis.reference import Reference

METRICS = CurveMetrics(train="train_loss", validation="val_loss")
REFERENCE = Reference(start=1.0, train=0.1, validation=0.15)

Losses = Sequence[float]


def of(train: Losses, validation: Losses | None = None) -> Curve:
    """A curve of these losses, at the steps 1, 2, …; without the second, of the training data only."""
    seen = [None] * len(train) if validation is None else list(validation)
    return build_curve(METRICS, zip(range(1, len(train) + 1), train, seen, strict=True))


def falling(end: float, *, start: float = 1.0, pace: float = 5.0, steps: int = 40) -> list[float]:
    """From the start towards the end, by the same share at every step."""
    return [end + (start - end) * math.exp(-pace * step / steps) for step in range(steps)]


def turning(low: float, high: float, *, steps: int = 40) -> list[float]:
    """Down from 1 to the low in a quarter of the steps, and up to the high."""
    quarter = steps // 4
    down = [1 - (1 - low) * step / quarter for step in range(quarter)]
    return down + [low + (high - low) * step / (steps - quarter - 1) for step in range(steps - quarter)]


def noisy(losses: Losses, deviation: float, seed: int = 0) -> list[float]:
    """With normal noise on top."""
    rng = random.Random(seed)
    return [loss + rng.gauss(0, deviation) for loss in losses]


def mapped(losses: Losses, change: Callable[[float], float]) -> list[float]:
    """Each changed."""
    return [change(loss) for loss in losses]
