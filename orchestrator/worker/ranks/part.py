"""Which process of its trial a process is, and what it is told because of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One rank of a trial."""

    rank: int = 0
    ranks: int = 1
    environ: Mapping[str, str] = field(default_factory=dict)  # as torchrun sets it; empty for a single rank
    device: str | None = None  # of a trial with a GPU; None: the one that torch finds
    verdicts: tuple[str, int] = ("", 0)  # host and port where rank 0 says how far the trial goes


ALONE = Part()
"""The one rank of an ordinary trial."""
