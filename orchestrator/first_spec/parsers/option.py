"""An option of a program, as its command line has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()
"""A value that the syntax tree does not tell."""


@dataclass(frozen=True, kw_only=True)
class ProgramOption:
    """One option.

    Attributes:
        name: The hyperparameter's name: letters, digits, underscores, and dots between groups.
        flag: As it is typed, ``--lr``; "" if it is positional.
        assigned: Whether its value follows ``=`` in the same argument, as in ``lr=0.1``.
        declared: Its declared type: int, float, str or bool; None: none that is known.
        default: Its default; None if it has none; ``UNKNOWN`` if it is not told.
        choices: The values allowed; empty: any.
        required: Whether it must be given.
        is_switch: Whether it takes no value.
        several: Whether it takes several values.
        advised: The value that a sweep needs it to have, whatever its default; None: any.
    """

    name: str
    flag: str
    assigned: bool = False
    declared: type | None = None
    default: Any = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    is_switch: bool = False
    several: bool = False
    advised: Any = None

    @property
    def word(self) -> str:
        """The name without its groups, in small letters."""
        return self.name.rpartition(".")[2].lower()

    @property
    def kind(self) -> type | None:
        """The type, or that of the default or of the choices."""
        examples = [*self.choices, self.default]
        known = [type(each) for each in examples if isinstance(each, bool | int | float | str)]
        return self.declared or (known[0] if known else None)
