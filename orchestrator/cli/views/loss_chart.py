"""The loss over the learning rate, as a chart of characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.cli.views.sparkline import LEVELS

HEIGHT = 8
WIDTH = 64


def loss_chart(rates: Sequence[float], losses: Sequence[float], *, marked: tuple[float, float] | None = None) -> str:
    """Columns for the loss at each rate, the rates by their logarithm.

    Args:
        rates: Learning rates, growing.
        losses: The loss at each; what is as far above the first ones as the lowest is below is cut.
        marked: The range of rates that is underlined.
    """
    columns = _columns(rates, losses)
    start, bottom = max(columns[: max(1, len(columns) // 3)]), min(columns)
    top = min(max(columns), start + max(start - bottom, 1e-12))
    steps = HEIGHT * len(LEVELS)
    heights = [1 + round(min(1.0, (loss - bottom) / max(top - bottom, 1e-12)) * (steps - 1)) for loss in columns]
    labels = {0: f"{top:.3g}", HEIGHT - 1: f"{bottom:.3g}"}
    margin = max(map(len, labels.values()))
    lines = []
    for row in range(HEIGHT):
        floor = (HEIGHT - 1 - row) * len(LEVELS)
        bar = "".join(" " if height <= floor else LEVELS[min(height - floor, len(LEVELS)) - 1] for height in heights)
        lines.append(f"{labels.get(row, ''):>{margin}} ┤{bar}")
    lines.append(f"{'':>{margin}} └{'─' * len(columns)}")
    if marked is not None:
        first, last = (_place(rate, rates, len(columns)) for rate in marked)
        lines.append(f"{'':>{margin}}  {' ' * first}{'▔' * (last - first + 1)}")
    left, right = f"{rates[0]:.0e}", f"{rates[-1]:.0e}"
    lines.append(f"{'':>{margin}}  {left}{'lr':^{max(4, len(columns) - len(left) - len(right))}}{right}")
    return "\n".join(line.rstrip() for line in lines)


def _columns(rates: Sequence[float], losses: Sequence[float]) -> list[float]:
    """The last loss in each column; a column without one has that before it."""
    width = min(WIDTH, len(rates))
    found: dict[int, float] = {_place(rate, rates, width): loss for rate, loss in zip(rates, losses, strict=True)}
    columns = [losses[0]]
    for place in range(1, width):
        columns.append(found.get(place, columns[-1]))
    return columns


def _place(rate: float, rates: Sequence[float], width: int) -> int:
    extent = math.log(rates[-1] / rates[0]) or 1.0
    return max(0, min(width - 1, round(math.log(rate / rates[0]) / extent * (width - 1))))
