"""The names of parameters: an identifier, or several joined by dots for a nested one."""

from __future__ import annotations

import keyword
import unicodedata

from orchestrator.formatting import shown
from orchestrator.space.values import mistake


def wrong_name(name: str) -> tuple[str, str] | None:
    """What is wrong with a name without dots, and what is allowed; None if it is valid."""
    if not name.isidentifier():
        return f"{shown(name)} is not a valid parameter name", "letters, digits and _, as in weight_decay"
    if keyword.iskeyword(name):
        return f"{shown(name)} is a keyword of Python, which no condition can name", f"as in {name}_"
    if (usual := unicodedata.normalize("NFKC", name)) != name:  # as Python does with names in conditions
        written = " ".join(f"U+{ord(letter):04X}" for letter in name if not letter.isascii())
        return f"{shown(name)} has letters that Python replaces ({written})", usual
    return None


def parameter_name(name: str) -> str:
    """The name itself, for pydantic; raises a mistake if it is not valid."""
    for part in name.split("."):
        if (wrong := wrong_name(part)) is not None:
            raise mistake(*(wrong if part else (f"{shown(name)} is not a valid parameter name", "as in optim.lr")))
    return name


def groups_of(name: str) -> list[str]:
    """The groups that a name is in, the outermost first: ``model`` and ``model.head`` of ``model.head.width``."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]
