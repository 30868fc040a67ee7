"""A proposed spec, and its text with a remark behind each line that needs one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.spec.writing import line

REMARKS_AT = 40
"""The column at which remarks begin, where lines are shorter."""
LONGEST = 100
"""Columns of a command on one line; a longer one has a line for each option."""
_PLAIN = re.compile(r"[\w./][^#\n]*(?<!\s)")


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A value of a spec, and what is to be said of it.

    Attributes:
        value: A distribution, or the value of a fixed hyperparameter.
        remark: Why it is proposed; "" if that is plain.
    """

    value: Any
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A proposed spec.

    Attributes:
        name: The sweep's name; "": its file's.
        source: What was read, for the first line.
        runs: `command` or `trainable`, and its value.
        fixed: The same in every trial.
        space: The searched hyperparameters.
        later: Those that may be searched later, as remarks.
        objective: With its metric's name.
        sections: Further sections, in this order.
        notes: What could not be taken over, and what is to be decided, one sentence each.
    """

    source: str
    runs: tuple[str, Proposed]
    objective: Proposed
    name: str = ""
    fixed: Mapping[str, Proposed] = field(default_factory=dict)
    space: Mapping[str, Proposed] = field(default_factory=dict)
    later: Mapping[str, Proposed] = field(default_factory=dict)
    sections: Mapping[str, Proposed] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """The spec as YAML."""
        key, what = self.runs
        lines = [f"# Proposed from {self.source}; `sweep check` finds mistakes in this file."]
        lines += [f"# - {note}" for note in self.notes]
        if self.name:
            lines.append(line("name", self.name))
        lines.append(_remarked(_command(key, what.value) if key == "command" else line(key, what.value), what.remark))
        for section, values in (("fixed", self.fixed), ("space", self.space)):
            if values:
                lines.append(f"{section}:")
                lines += [_remarked(line(name, each.value, indent=2), each.remark) for name, each in values.items()]
        if self.later:
            lines.append("  # to be searched later, a few at a time:")
            lines += [_remarked(f"  # {line(name, each.value)}", each.remark) for name, each in self.later.items()]
        for section, each in {"objective": self.objective, **self.sections}.items():
            lines.append(_remarked(line(section, each.value), each.remark))
        return "\n".join(lines) + "\n"


def _command(key: str, value: Any) -> str:
    """A command as it is typed, where YAML allows that."""
    if not isinstance(value, str) or not _PLAIN.fullmatch(value) or ": " in value or value.endswith(":"):
        return line(key, value)
    if len(value) <= LONGEST:
        return f"{key}: {value}"
    return f"{key}: >-\n  " + re.sub(r" (?=--?[A-Za-z])", "\n  ", value)


def _remarked(text: str, remark: str) -> str:
    return f"{text:<{REMARKS_AT}}  # {remark}" if remark else text
