"""What `sweep next` says of the spec that it has written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchestrator.analysis.next_spec.revision import Revision
from orchestrator.analysis.next_spec.succession import Next
from orchestrator.formatting import yaml

LONG = 60


def summary(found: Next, file: Path) -> str:
    """What has changed, and what one does next."""
    lines = [line for revision in found.revisions for line in _lines(revision)]
    if not found.enough:
        lines.append("there are too few results to change ranges by")
    if found.unchecked:
        lines.append(f"not held against the trainable: {found.unchecked}")
    return "\n".join([*lines, f"next: sweep plan {file}; sweep launch {file}"])


def _lines(revision: Revision) -> Iterator[str]:
    if revision.at is None:
        yield revision.reason
        return
    text = yaml(revision.edits[revision.at])
    yield f"{'.'.join(revision.at)}: {text if len(text) <= LONG else f'{text[: LONG - 1]}…'}"
    yield f"    {revision.reason}"
