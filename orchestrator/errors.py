"""The tree of errors a user can meet. Each has the exit code with which the command line ends.

SweepError                 1   the sweep failed
├── UserError              2   something the user wrote or asked for cannot be done
│   ├── SpecError              mistakes in the spec, all of them at once
│   ├── TrainableError         the training function cannot be found or loaded
│   ├── InfeasibleError        one trial fits on no node
│   └── NoSuchSweepError       no sweep, or more than one, has that name
├── RecordsError           1   the records cannot be read or written
└── InterruptedSweepError 130  stopped by a signal; everything up to then is recorded
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SweepError(Exception):
    """The root: whatever goes wrong in a way we foresaw. Its text is a sentence for the user."""

    exit_code = 1


class UserError(SweepError):
    """Something the user wrote or asked for cannot be done."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake in a spec: where it stands, what was found there, and what is allowed."""

    where: str  # "churn.yaml:12" or "--set space.lr" or "spec" (a Python mapping)
    key: str  # dotted path in the spec, e.g. "space.lr"; "" for the whole
    problem: str  # what is wrong, the value included
    allowed: str = ""  # what would be right, the nearest valid name included

    def __str__(self) -> str:
        place = f"{self.where}: {self.key}" if self.key else self.where
        return f"{place}: {self.problem}" + (f" ({self.allowed})" if self.allowed else "")


class SpecError(UserError):
    """All mistakes of a spec at once, in the order in which they stand in the file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class TrainableError(UserError):
    """The trainable cannot be found, imported or understood."""


class InfeasibleError(UserError):
    """One trial asks for more than any node has."""


class NoSuchSweepError(UserError):
    """No sweep has that name, or a prefix fits several."""


class RecordsError(SweepError):
    """The records cannot be read or written."""


class InterruptedSweepError(SweepError):
    """The sweep was stopped by a signal. Everything up to then is recorded."""

    exit_code = 130
