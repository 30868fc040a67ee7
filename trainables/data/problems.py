"""What is wrong with data, said of the hyperparameter that names it: by `sweep check` before anything starts, and by a
trial otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FEW = 5
"""Names that a message lists."""


@dataclass(frozen=True, kw_only=True)
class DataProblem:
    """One problem that a trainable's ``check_data`` has found.

    Attributes:
        name: The hyperparameter that is to be changed, as in "target".
        problem: What is wrong, with the value.
        allowed: What would be right, the nearest valid name included.
        warning: Whether trials can train nevertheless.
    """

    name: str
    problem: str
    allowed: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.problem}; {self.allowed}" if self.allowed else self.problem


class DataError(ValueError):
    """Data that cannot be used.

    Attributes:
        found: What is wrong with it.
    """

    def __init__(self, name: str, problem: str, allowed: str = "") -> None:
        self.found = DataProblem(name=name, problem=problem, allowed=allowed)
        super().__init__(str(self.found))

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str, str]]:
        """Errors cross process boundaries; the text alone would not do."""
        return type(self), (self.found.name, self.found.problem, self.found.allowed)


def few(names: Sequence[str]) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"{', '.join(names[:FEW])}{more}"


def unreadable(path: Path, error: OSError) -> DataProblem:
    """The problem that a file or folder cannot be read."""
    return DataProblem(name="data", problem=f"{path} cannot be read: {error.strerror or error}")
