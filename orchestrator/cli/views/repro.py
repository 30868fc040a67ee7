"""`sweep repro`: what is not as it was, and whether the repetition is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from orchestrator.after.repro import Repetition
from orchestrator.analysis.compare.same_curve import CurveComparison, Parting
from orchestrator.formatting import count, listed

DIFF_LINES = 40
"""Lines of the diff that are shown."""


def differences_text(again: Repetition) -> str:
    """What differs from the record, and which code is trained."""
    code, own = again.code, again.source.recorded_code is None
    lines = [f"{each.subject}: {_short(each.recorded)} in the record, now {_short(each.now)}" for each in _told(again)]
    lines += again.remarks
    if code.changed:
        which = (
            "the project's code as it is now" if own else f"the copy beside the records, not the project's {_it(again)}"
        )
        lines.append(f"{listed(code.changed)} changed since; this trains {which}")
        lines += _cut(code.diff.splitlines())
    return "\n".join(lines) or "code, data, packages and machine are as they were"


def _told(again: Repetition) -> Iterator[Any]:
    return (each for each in again.differences if not each.subject.startswith("code "))


def _it(again: Repetition) -> str:
    return "file" if len(again.code.changed) == 1 else "files"


def _short(value: str) -> str:
    """A hash by its beginning, as git does."""
    kind, _, digest = value.rpartition(" ")
    return f"{kind} {digest[:12]}".strip() if len(digest) >= 40 else value


def _cut(lines: list[str]) -> list[str]:
    left = len(lines) - DIFF_LINES
    return [*lines[:DIFF_LINES], *([f"… {count(left, 'more line')}"] if left > 0 else [])]


def verdict_text(sweep: str, again: Repetition, name: str, found: CurveComparison) -> str:
    """Whether the repetition is the same, and where it parts from the record if it is not."""
    which = f"trial {again.trial} of {sweep}"
    if found.identical:
        what = (
            f"{listed(found.same)} at {count(found.steps, 'step')}"
            if found.steps
            else f"no report, {found.recorded_end}"
        )
        return f"{name} is the same as {which}, to the last digit: {what}"
    lines = []
    if found.partings:
        first = found.partings[0]
        lines.append(f"{name} differs from {which} at step {first.step}: {_values(first)}")
        lines += [f"  from step {each.step}: {_values(each)}" for each in found.partings[1:]]
    if found.recorded_end != found.repeated_end:
        lines.append(f"{which} {_ended(found.recorded_end)}, and its repetition {_ended(found.repeated_end)}")
    if found.same:
        lines.append(f"the same at {count(found.steps, 'step')}: {listed(found.same)}")
    return "\n".join(lines)


def _values(parting: Parting) -> str:
    return f"{parting.metric} {_exact(parting.recorded)} in the record, now {_exact(parting.repeated)}"


def _exact(value: float | None) -> str:
    return "missing" if value is None else repr(value)


def _ended(end: str) -> str:
    return f"ended as {end}"


def repro_data(sweep: str, again: Repetition, name: str, found: CurveComparison) -> dict[str, Any]:
    """The same for programs."""
    return {
        "sweep": name,
        "of": sweep,
        "trial": again.trial,
        "identical": found.identical,
        "steps": found.steps,
        "same": list(found.same),
        "partings": [asdict(each) for each in found.partings],
        "recorded_end": found.recorded_end or None,
        "repeated_end": found.repeated_end or None,
        "code": "project" if again.source.recorded_code is None else "recorded",
        "differences": [asdict(each) for each in again.differences],
        "remarks": list(again.remarks),
    }
