"""Suggestions for an unknown name: the nearest known one, and the names to choose from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 12  # a longer list is hard to read, so it is shown only when no name is near


@dataclass(frozen=True, kw_only=True)
class Known:
    """The names that would have been right, and the one that was probably meant.

    >>> str(did_you_mean("trails", ["trials", "hours"]))
    "did you mean 'trials'? one of: trials, hours"
    """

    choices: tuple[str, ...]
    nearest: str | None
    kind: str = "one of"

    def __bool__(self) -> bool:
        return bool(self.choices)

    def __str__(self) -> str:
        """The nearest name, and all names if they are few or none is near; "" if there are no names."""
        few = len(self.choices) <= _SHOWN or self.nearest is None
        listed = f"{self.kind}: {', '.join(self.choices)}" if self.choices and few else ""
        asked = f"did you mean {self.nearest!r}?" if self.nearest is not None else ""
        return " ".join(part for part in (asked, listed) if part)


Allowed = str | Known
"""What would be right in place of a mistake: the known names, or a clause such as "at least 1"; "" if unknown."""


def did_you_mean(name: object, known: Iterable[object], *, kind: str = "one of") -> Known:
    """The known names, with the one that is nearest to an unknown one."""
    choices = tuple(str(each) for each in known)
    near = near_names(name, choices) if isinstance(name, str) else []
    return Known(choices=choices, nearest=near[0] if near else None, kind=kind)


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean 'trials'?`` if a known name is near, else ""."""
    near = near_names(name, known)
    return f"did you mean {near[0]!r}?" if near else ""


def near_names(name: str, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Up to ``most`` known names that are near, the nearest first; upper and lower case are the same.

    Similar spellings come first, then nested names that end in it ('optim.lr' for 'lr'), then names that the given one
    begins with ('min' for 'minimise'), then names that abbreviate it or are abbreviated by it ('lr' for
    'learning_rate').
    """
    names = {each.lower(): each for each in known}
    name = name.lower()
    near = difflib.get_close_matches(name, names, n=most)
    near += [each for each in names if each.endswith(f".{name}")]
    near += [each for each in names if len(each) > 1 and name.startswith(each)]
    near += [each for each in names if len(each) > 1 and (each == _initials(name) or name == _initials(each))]
    return [names[each] for each in dict.fromkeys(near)][:most]


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))
