"""Which reader reads what a program prints, and which the file that it writes."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from trainables.command.metrics import json_lines, pattern, python_dicts
from trainables.command.metrics.csv_file import CsvFile
from trainables.command.metrics.event_files import EventFiles
from trainables.command.metrics.growing_file import GrowingFile
from trainables.command.metrics.record import Record
from trainables.command.output import Output
from trainables.command.template import expand, written


class Source(Protocol):
    """A file that is read as it grows."""

    def read(self, *, last: bool = False) -> Iterator[Record]:
        """The records that are complete by now; with ``last`` all."""
        ...


class _LinesOfFile:
    def __init__(self, path: str, read: Callable[[str], Record]) -> None:
        self._file = GrowingFile(path)
        self._line = read

    def read(self, *, last: bool = False) -> Iterator[Record]:
        return filter(None, map(self._line, self._file.lines(last=last)))


def of_line(output: Output) -> Callable[[str], Record]:
    """What reads a line."""
    return pattern.reader(output.pattern) if output.pattern else _json_or_python


def _json_or_python(line: str) -> Record:
    return json_lines.read(line) or python_dicts.read(line)


def of_file(output: Output, values: Mapping[str, Any], objective: str) -> Source | None:
    """What reads the file; None if the metrics are printed."""
    if not output.path:
        return None
    path = expand(output.path, {name: glob.escape(written(value)) for name, value in values.items()})
    if output.format == "tensorboard":
        return EventFiles(path, objective)
    return CsvFile(path) if output.format == "csv" else _LinesOfFile(path, of_line(output))
