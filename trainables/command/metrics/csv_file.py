"""Records from a CSV file with a header, such as Lightning's metrics.csv; empty cells are no numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from trainables.command.metrics.growing_file import GrowingFile
from trainables.command.metrics.record import Record, number_in

_DELIMITERS = ",\t;"


class CsvFile:
    """A CSV file that grows, or is written anew with more columns."""

    def __init__(self, path: str) -> None:
        self._file = GrowingFile(path)
        self._begun = 0
        self._header: list[str] = []
        self._delimiter = ","

    def read(self, *, last: bool = False) -> Iterator[Record]:
        """The records of the rows that are complete by now; with ``last`` also of one that has no end."""
        for line in self._file.lines(last=last):
            if self._file.begun != self._begun:
                self._begun, self._header = self._file.begun, []
            if not line.strip():
                continue
            if not self._header:
                self._delimiter = max(_DELIMITERS, key=line.count)
                self._header = self._cells(line)
                continue
            cells = zip(self._header, self._cells(line), strict=False)
            yield {name: number for name, cell in cells if (number := number_in(cell)) is not None}

    def _cells(self, line: str) -> list[str]:
        try:
            return [cell.strip() for cell in next(csv.reader([line.lstrip("\ufeff")], delimiter=self._delimiter))]
        except csv.Error:
            return []
