"""Prints answers as aligned text, JSON or CSV on stdout, coloured on a terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

import typer

from orchestrator.cli import json_output
from orchestrator.cli.wrapping import wrapped
from orchestrator.core.rows import State
from orchestrator.errors import DamagedError, OptionsError
from orchestrator.safe_text import for_output, log_for_output, printable

COLOURS: Mapping[str, str] = {
    State.RUNNING: "cyan",
    State.PAUSED: "blue",
    State.COMPLETED: "green",
    State.DIVERGED: "yellow",
    State.FAILED: "red",
    "finished": "green",
    "halted": "yellow",
    "died": "red",
    "damaged": "red",
}
"""Colours of states and statuses."""

COLOURED = ("state", "status")
"""The columns in which they stand."""

Row = Mapping[str, Any]


class Format(StrEnum):
    """Output formats of an answer that is a table."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class TextFormat(StrEnum):
    """Output formats of an answer that is not a table."""

    TEXT = "text"
    JSON = "json"


def tell(text: object = "", *, as_it_is: bool = False) -> None:
    """Print an answer, or a part of it, to stdout; safely, whatever data it has.

    Args:
        text: The answer.
        as_it_is: Whether a program may read it, so that no line may be broken; else a terminal gets lines that fit.

    Raises:
        OSError: It cannot be printed.
    """
    shown = for_output(str(text), styled=in_colour(sys.stdout))
    typer.echo(shown if as_it_is else wrapped(shown, width_of(sys.stdout)))


def tell_log(text: str) -> None:
    """Print a part of a log to stdout as it is, as far as that is safe."""
    typer.echo(log_for_output(text, styled=in_colour(sys.stdout)), nl=False)


def say(text: str = "") -> None:
    """Print to stderr, so that a command's answer can be piped; as a note in JSON if the answer is JSON.

    Where stderr cannot be written, nothing is said.
    """
    with suppress(OSError, ValueError):
        if json_output.is_on():
            json_output.note(text)
        else:
            shown = for_output(text, styled=in_colour(sys.stderr))
            typer.echo(wrapped(shown, width_of(sys.stderr)), err=True)


def say_log(text: str) -> None:
    """Print a part of a log, or of a line that is drawn over itself, to stderr as far as that is safe."""
    typer.echo(log_for_output(text, styled=in_colour(sys.stderr)), err=True, nl=False)


def painted(text: str, colour: str | None, stream: TextIO | None = None, *, bold: bool = False) -> str:
    """The text in a colour, if the stream (stdout by default) is a terminal that wants colours."""
    if not in_colour(stream or sys.stdout):
        return text
    return typer.style(printable(text), fg=colour, bold=bold)


def width_of(stream: TextIO) -> int:
    """The columns of the terminal that a stream is; where it is none, nothing is ever cut."""
    return shutil.get_terminal_size().columns if stream.isatty() else sys.maxsize


def in_colour(stream: TextIO) -> bool:
    """Whether to colour what goes there; https://no-color.org."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty() and not json_output.is_on()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer in every form: for people, as JSON, as CSV."""

    text: Callable[[], str]
    data: Any
    rows: Sequence[Row]
    damage: Sequence[str] = ()  # what it lacks, because records are damaged


def give(format_: Format, answers: Mapping[str, Answer]) -> None:
    """Print one answer as it is; several below each other, or as one JSON object by their names.

    Raises:
        OptionsError: Several as CSV.
        DamagedError: Records are damaged; what the others say is printed.
    """
    if len(answers) > 1 and format_ is Format.CSV:
        raise OptionsError(f"{' and '.join(answers)} are {len(answers)} tables, and CSV holds one: ask for one of them")
    several = len(answers) > 1
    answer(
        format_,
        text=lambda: "\n\n".join(each.text() for each in answers.values()),
        data={name: each.data for name, each in answers.items()} if several else next(iter(answers.values())).data,
        rows=next(iter(answers.values())).rows,
    )
    if damage := list(dict.fromkeys(each for found in answers.values() for each in found.damage)):
        raise DamagedError("\n".join(damage))


def answer(format_: Format, *, text: Callable[[], str], data: Any, rows: Sequence[Row]) -> None:
    """Print an answer: text for people, data as JSON, rows as CSV."""
    if format_ is Format.JSON:
        json_output.document(data)
    elif written := text() if format_ is Format.TABLE else as_csv(rows):
        tell(written, as_it_is=format_ is Format.CSV)


def as_csv(rows: Sequence[Row]) -> str:
    """CSV; mappings and lists in it are JSON."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in row.items()}
        for row in rows
    )
    return text.getvalue().rstrip("\n")
