"""What to say when a name is not known: the nearest one that is, and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_SHOWN = 12  # more names than this are a wall, not a help


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
    nearest = _nearest(name.lower(), {each.lower(): each for each in choices}) if isinstance(name, str) else None
    return Known(choices=choices, nearest=nearest, kind=kind)


def _nearest(name: str, known: Mapping[str, str]) -> str | None:
    """The known name that is spelt most alike; else one that starts the same ('min' for 'minimise'), or that is an
    abbreviation or is abbreviated ('lr' for 'learning_rate')."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    close += [each for each in known if len(each) > 1 and name.startswith(each)]
    close += [each for each in known if len(each) > 1 and (each == _initials(name) or name == _initials(each))]
    return known[close[0]] if close else None


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))
