"""`sweep next`: what has changed in the spec that it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.analysis.next_spec.propose import NextSpec
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.formatting import yaml

LONG = 60


def summary(found: NextSpec, file: Path) -> str:
    """One line for each change and its reason, and the commands that fit next."""
    lines = [line for change in found.changes for line in _lines(change)]
    if not found.enough:
        lines.append("too few results to change any range")
    if found.unchecked:
        lines.append(f"not checked against the trainable: {found.unchecked}")
    return "\n".join([*lines, f"next: sweep plan {file}; sweep launch {file}"])


def _lines(change: SpecChange) -> Iterator[str]:
    if change.at is None:
        yield change.reason
        return
    text = yaml(change.edits[change.at])
    yield f"{'.'.join(change.at)}: {text if len(text) <= LONG else f'{text[: LONG - 1]}…'}"
    yield f"    {change.reason}"


def next_data(found: NextSpec, sweep: str) -> dict[str, Any]:
    """The changes as data."""
    return {
        "sweep": sweep,
        "file": str(found.file),
        "enough": found.enough,
        "unchecked": found.unchecked or None,
        "changes": [
            {"edits": {".".join(key): value for key, value in change.edits.items()}, "reason": change.reason}
            for change in found.changes
        ],
    }
