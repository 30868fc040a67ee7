"""JSON for programs: one document a command or events line by line on stdout, notes and errors as lines on stderr.

While a command answers in JSON, file descriptor 1 leads to stderr, so that nothing else reaches stdout: neither what a
trainable prints when it is imported nor what Ray prints. docs/agents.md describes every document, event and error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, TextIO

from orchestrator.cli.forgiving_output import ForgivingStream
from orchestrator.errors import InterruptedSweepError, Mistake, OptionsError, SpecError, SweepError
from orchestrator.safe_text import escaped
from orchestrator.sites.remote.job_output import json_object
from orchestrator.suggestions import Allowed, Known

INTERNAL = "internal-error"
"""The code of an error that nobody foresaw."""

NOTE, ERROR, EVENT = "note", "error", "event"
"""The keys by which a line is known: a note or an error on stderr, an event on stdout."""

_stdout: TextIO | None = None  # the real one, while a command answers in JSON


def asked_for(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, as far as that can be seen before it is parsed, which may fail."""
    asked = False
    for word, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if word == "--":
            break
        if word in ("-h", "--help"):
            return False
        if word == "--json":
            asked = True
        elif word == "--format" or word.startswith("--format="):
            asked = (following if word == "--format" else word.partition("=")[2]) == "json"
    return asked


@contextmanager
def answering() -> Iterator[None]:
    """Keep stdout for JSON; everything else that is printed goes to stderr."""
    global _stdout
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace") as real:
        os.dup2(2, 1)
        _stdout = real
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _stdout = None
            os.dup2(real.fileno(), 1)


def is_on() -> bool:
    """Whether the running command answers in JSON."""
    return _stdout is not None


def document(data: Any) -> None:
    """Print the answer of a command.

    Raises:
        OSError: It cannot be printed.
    """
    ForgivingStream(_stdout or sys.stdout).write_all(f"{escaped(as_json(data))}\n")


def event(name: str, /, *, at: float | None = None, **facts: Any) -> None:
    """Print an event on a line. That nobody reads it does not end what it tells of.

    Args:
        name: What happened.
        at: When, in seconds since the epoch; None: now.
        facts: What else there is to say.
    """
    _write(line({EVENT: name, "at": iso(time.time() if at is None else at), **facts}))


def relay(text: str, *, document: bool = False) -> dict[str, Any] | None:
    """Pass on a line of a command that ran elsewhere with --json, whose stdout and stderr came as one.

    Args:
        text: The line.
        document: The command answers by a document, not by events: what is no JSON of its own is a part of it.

    Returns:
        The error, if there is one on the line. It is left to the caller: an error is the last line of stderr.
    """
    held = json_object(text) or {}
    if ERROR in held:
        return dict(held[ERROR])
    if EVENT in held or (document and NOTE not in held):
        _write(text)
    else:
        _note(text)
    return None


def note(text: str) -> None:
    """Tell something in words, on stderr."""
    _note(line({NOTE: text.strip()}))


def error(data: Mapping[str, Any]) -> None:
    """Print an error, as the last line of stderr."""
    with suppress(OSError, ValueError):
        _note(line({ERROR: data}))


def as_json(value: Any) -> str:
    """JSON for people and programs; numbers that JSON does not have become null."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False)


def line(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(_finite(value), ensure_ascii=False)


def iso(at: float) -> str:
    """A time in UTC as ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error_data(found: BaseException) -> dict[str, Any]:
    """An error as data, with the same keys for every kind."""
    if isinstance(found, SweepError):
        mistakes = found.mistakes if isinstance(found, SpecError) else ()
        return _data(type(found), str(found), value=found.value, allowed=found.allowed, mistakes=mistakes)
    if isinstance(found, KeyboardInterrupt):
        return _data(InterruptedSweepError, "interrupted")
    trace = "".join(traceback.format_exception(found))
    return _data(SweepError, f"{type(found).__name__}: {found}", traceback=trace) | {"code": INTERNAL}


def usage_data(found: Any) -> dict[str, Any]:
    """The data of an error in the command line, which Typer could not parse.

    Args:
        found: Typer's exception, whose class has no public name.
    """
    parameter = getattr(found, "param", None)
    names = [getattr(found, "option_name", None), *getattr(parameter, "opts", ())]
    command = getattr(getattr(found, "ctx", None), "command", None)
    if hasattr(found, "possibilities"):  # no such option
        near = found.possibilities or [None]
        options = [name for each in getattr(command, "params", ()) for name in each.opts if name.startswith("--")]
        known = Known(choices=tuple(options), nearest=near[0])
    else:
        commands = getattr(command, "commands", None) or ()  # of the group, if there is no such command
        known = Known(choices=() if parameter else tuple(commands), nearest=None)
    place = next((name for name in reversed(names) if name), None)
    return _data(OptionsError, found.format_message(), place=place, allowed=known)


def _data(
    kind: type[SweepError],
    message: str,
    *,
    place: str | None = None,
    value: Any = None,
    allowed: Allowed = "",
    mistakes: Sequence[Mistake] = (),
    traceback: str | None = None,
) -> dict[str, Any]:
    return {
        "code": kind.code,
        "message": message,
        "exit_code": kind.exit_code,
        "place": place,
        "value": _plain(value),
        **_right(allowed),
        "mistakes": [_mistake(each) for each in mistakes],
        "traceback": traceback,
    }


def _mistake(each: Mistake) -> dict[str, Any]:
    place = each.place
    return {
        "path": place.file or None,
        "line": place.line,
        "column": place.column,
        "option": f"{place.option} {place.argument}".strip() or None,
        "key": each.key or None,
        "value": _plain(each.value),
        "message": each.problem,
        **_right(each.allowed),
    }


def _right(allowed: Allowed) -> dict[str, Any]:
    if isinstance(allowed, Known):
        listed = f"{allowed.kind}: {', '.join(allowed.choices)}" if allowed else None
        return {"allowed": listed, "choices": list(allowed.choices) or None, "suggestion": allowed.nearest}
    return {"allowed": allowed or None, "choices": None, "suggestion": None}


def _plain(value: Any) -> Any:
    """A value from a spec, which is JSON; the text of anything else."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value


def _write(text: str) -> None:
    ForgivingStream(_stdout or sys.stdout).write(f"{escaped(text)}\n")


def _note(text: str) -> None:
    print(escaped(text), file=sys.stderr, flush=True)


def _finite(value: Any) -> Any:
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case Mapping():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
    return value
