"""What further trials would bring, in words and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.analysis.outlook.outlook import Outlook


def outlook_text(found: Sequence[Outlook], metric: str) -> str:
    """``10 more trials: 22% chance of a better loss; 40: 55%; 100: 78%, by about 0.01 (0.002 to 0.04)``; "" if none."""
    if not found:
        return ""
    first, *others = found
    chances = [f"{first.trials} more trials: {_percent(first.chance)} chance of a better {metric}"]
    chances += [f"{each.trials}: {_percent(each.chance)}" for each in others]
    most = found[-1]
    return f"{'; '.join(chances)}, by about {most.gain:.2g} ({most.low:.2g} to {most.high:.2g})"


def outlook_data(found: Sequence[Outlook]) -> list[dict[str, Any]]:
    """The outlook as data."""
    return [asdict(each) for each in found]


def _percent(chance: float) -> str:
    if 0.005 <= chance < 0.995:
        return f"{chance:.0%}"
    return "<1%" if chance < 0.5 else ">99%"
