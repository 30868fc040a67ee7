"""A finding about a sweep, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Subject = Literal["failures", "divergence", "bound", "noise", "verdicts", "budget", "rungs", "data"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding."""

    subject: Subject
    sentence: str  # with the numbers
    advice: str = ""  # what to do about it
    numbers: Mapping[str, Any] = field(default_factory=dict)
    urgent: bool = True  # whether it is shown after a launch and in `sweep show`
