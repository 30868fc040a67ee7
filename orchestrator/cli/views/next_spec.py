"""`sweep next`: what has changed in the spec that it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.analysis.next_spec.propose import NextSpec
from orchestrator.analysis.next_spec.spec_change import SpecChange


def summary(found: NextSpec, file: Path) -> str:
    """One line for each change and its reason, and the commands that fit next."""
    lines = [line for change in found.changes for line in _lines(change)]
    if not found.enough:
        lines.append("too few results to change any range")
    if found.unchecked:
        lines.append(f"not checked against the trainable: {found.unchecked}")
    return "\n".join([*lines, f"next: sweep plan {file}; sweep launch {file}"])


def _lines(change: SpecChange) -> Iterator[str]:
    if not change.line:
        yield change.reason
        return
    yield change.line
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
