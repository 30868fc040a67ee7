"""Where a program's metrics are, as values; what reads them is in metrics/."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Format = Literal["jsonl", "csv", "tensorboard"]

SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv"}
"""The formats that a file's name tells."""


def format_of(path: str) -> Format | None:
    """The format of a file by its name; None if that does not tell."""
    return SUFFIXES.get(os.path.splitext(path)[1].lower())


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the metrics are: by default in JSON lines that the program prints.

    Attributes:
        path: A file that grows, or the directory of event files, with placeholders and `*`; "": what is printed.
        format: Of the file.
        pattern: A regular expression for each line, printed or of the file, in place of JSON; "": none.
        step: The number that counts the steps; "": the first of STEP_KEYS in the first record that has one.
    """

    path: str = ""
    format: Format = "jsonl"
    pattern: str = ""
    step: str = ""
