"""A change to a spec, with its reason."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.formatting import yaml

LONG = 60
"""The most characters of a value in a change's line."""

Key = tuple[str, ...]
"""A key of the spec: ("space", "lr")."""

PlainSpec = dict[str, Any]
"""A spec as plain JSON values."""


@dataclass(frozen=True, kw_only=True)
class SpecChange:
    """Values that change together, and why."""

    edits: Mapping[Key, Any]  # None: removed
    reason: str  # a clause: the previous value and why it changed

    @property
    def at(self) -> Key | None:
        """The key whose line gets the reason as a comment; None if the change only removes keys."""
        return next((key for key, value in self.edits.items() if value is not None), None)

    @property
    def line(self) -> str:
        """What it sets, as a line of YAML of bounded length; "" if it only removes keys."""
        if self.at is None:
            return ""
        text = yaml(self.edits[self.at])
        return f"{'.'.join(self.at)}: {text if len(text) <= LONG else f'{text[: LONG - 1]}…'}"


def apply_change(plain: PlainSpec, change: SpecChange) -> PlainSpec:
    """The spec with a change applied."""
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
