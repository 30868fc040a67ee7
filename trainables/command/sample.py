"""What would be taken from a sample of a program's output, without running it."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from trainables.command.lines import Lines
from trainables.command.metrics import sources
from trainables.command.metrics.proposal import proposed_pattern
from trainables.command.metrics.record import Record
from trainables.command.program import Program
from trainables.command.steps import Step, Steps


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What is taken from a sample."""

    steps: tuple[Step, ...]
    key: str  # the number that counts the steps; "": records with the objective are counted
    remarks: tuple[str, ...]  # what is left out, and why
    pattern: str = ""  # one that would find the objective, where nothing is found


def taken(program: Program, sample: Path) -> Taken:
    """What a trial would report if the program had printed, or written, this.

    Args:
        program: The program.
        sample: A file with what it prints, or of the kind that ``output.path`` names; for event files their directory.

    Raises:
        OSError: The sample cannot be read.
    """
    steps = Steps(objective=program.objective, key=program.output.step)
    found: dict[int, dict[str, float]] = {}
    for record in _records(program, sample):
        for each in steps.take(record):
            found.setdefault(each.step, {}).update(each.metrics)
    for each in steps.end():
        found.setdefault(each.step, {}).update(each.metrics)
    return Taken(
        steps=tuple(Step(step=step, metrics=metrics) for step, metrics in found.items()),
        key=steps.key,
        remarks=tuple(steps.remarks),
        pattern="" if found or not _is_printed(program) else proposed_pattern(_lines(sample), program.objective),
    )


def _records(program: Program, sample: Path) -> Iterator[Record]:
    output = replace(program.output, path=glob.escape(str(sample)))
    if program.output.path:
        file = sources.of_file(output, {}, program.objective)
        assert file is not None
        yield from file.read(last=True)
        return
    yield from filter(None, map(sources.of_line(output), _lines(sample)))


def _is_printed(program: Program) -> bool:
    """Whether metrics are looked for in what it prints, without a pattern of the user's."""
    return not program.output.path and not program.output.pattern


def _lines(sample: Path) -> Iterator[str]:
    lines = Lines()
    return lines.cut(lines.decoded(sample.read_bytes(), last=True), last=True)
