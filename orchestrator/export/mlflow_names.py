"""Names of metrics as MLflow accepts them: paths without empty parts, of letters, digits and a few signs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LONGEST = 250
"""Characters of a name that MLflow accepts."""

_REPLACED = re.compile(r"[^\w\-. /]")


def mlflow_names(names: Iterable[str]) -> Mapping[str, str]:
    """A name in MLflow for each name: the same where MLflow accepts it, and different names for different ones."""
    given = list(dict.fromkeys(names))
    found = {name: name for name in given if _accepted(name) == name}
    taken = set(found)
    for name in given:
        if name not in found:
            found[name] = _free(_accepted(name), taken)
            taken.add(found[name])
    return found


def _accepted(name: str) -> str:
    """The nearest name that MLflow accepts: no part is empty, ``.`` or ``..``, and two dots do not begin it."""
    parts = (part.replace(".", "_") if part in (".", "..") else part for part in name.split("/") if part)
    path = "/".join(parts)
    path = f"__{path[2:]}" if path.startswith("..") else path
    return _REPLACED.sub("_", path)[:LONGEST].rstrip("/") or "_"


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        suffix = f"_{number}"
        number, free = number + 1, name[: LONGEST - len(suffix)] + suffix
    return free
