"""A change of the spec, and why."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, ...]
"""A key of the spec: ("space", "lr")."""

PlainSpec = dict[str, Any]
"""A spec as plain JSON values."""


@dataclass(frozen=True, kw_only=True)
class SpecChange:
    """Values that change together."""

    edits: Mapping[Key, Any]  # None: taken out
    reason: str  # a clause: what was there, and why it is no more

    @property
    def at(self) -> Key | None:
        """The key behind which the reason belongs; None if all that it does is taking out."""
        return next((key for key, value in self.edits.items() if value is not None), None)


def apply_change(plain: PlainSpec, change: SpecChange) -> PlainSpec:
    """The spec with a revision made."""
    changed = copy.deepcopy(plain)
    for (*sections, name), value in change.edits.items():
        inner = changed
        for section in sections:
            inner = inner.setdefault(section, {})
        if value is None:
            inner.pop(name, None)
        else:
            inner[name] = value
    return changed
