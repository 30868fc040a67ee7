"""What to say when a name is not known: the nearest one that is, and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

_SHOWN = 12  # more names than this are a wall, not a help


def did_you_mean(name: object, known: Iterable[object], *, kind: str = "one of") -> str:
    """The nearest of the known names, and all of them if they are few or none is near; "" if there are none.

    >>> did_you_mean("trails", ["trials", "hours"])
    "did you mean 'trials'? one of: trials, hours"
    """
    names = [str(each) for each in known]
    if not names:
        return ""
    nearest = _nearest(name.lower(), {each.lower(): each for each in names}) if isinstance(name, str) else None
    listed = f"{kind}: {', '.join(names)}" if len(names) <= _SHOWN or nearest is None else ""
    asked = f"did you mean {nearest!r}?" if nearest is not None else ""
    return " ".join(part for part in (asked, listed) if part)


def _nearest(name: str, known: Mapping[str, str]) -> str | None:
    """The known name that is spelt most alike; else one that starts the same ('min' for 'minimise'), or that is an
    abbreviation or is abbreviated ('lr' for 'learning_rate')."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    close += [each for each in known if len(each) > 1 and name.startswith(each)]
    close += [each for each in known if len(each) > 1 and (each == _initials(name) or name == _initials(each))]
    return known[close[0]] if close else None


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))
