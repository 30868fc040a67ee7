"""The details of events: JSON, whose keys depend on the event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.rows import ACCOUNT, ENDS, EVALUATION, NODE, PACKING, SUGGESTED, Origin, State
from orchestrator.core.time_account import TimeAccount
from orchestrator.errors import DamagedError
from orchestrator.records.plain_files import parse_as


@dataclass(frozen=True, kw_only=True)
class _Proposed:
    config: dict[str, Any]
    origin: Origin
    retry_of: int | None


@dataclass(frozen=True, kw_only=True)
class _Suggested:
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Ended:
    train_s: float | None = None
    type: str = ""  # of the error
    message: str = ""
    traceback: str = ""
    fingerprint: str = ""
    gpus: float | None = None  # of a retry with a larger share


@dataclass(frozen=True, kw_only=True)
class _Evaluated:
    scores: dict[str, float]
    checkpoint: str
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class _SetAside:
    node_id: str


@dataclass(frozen=True, kw_only=True)
class _Packed:
    gpus: float


DETAILS: Mapping[str, type] = {
    **dict.fromkeys([*ENDS, "retry", "rung"], _Ended),
    State.PENDING: _Proposed,
    SUGGESTED: _Suggested,
    ACCOUNT: TimeAccount,
    EVALUATION: _Evaluated,
    NODE: _SetAside,
    PACKING: _Packed,
}
"""What is read of the detail of an event; that of any other event is shown at most."""


def parsed_object(text: str, log: Path) -> dict[str, Any]:
    """The detail of any event.

    Raises:
        DamagedError: It is no JSON object.
    """
    try:
        detail = json.loads(text)
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        raise DamagedError(f"{log} is damaged: the detail of an event is {text[:60]!r}, which is no JSON object")
    return detail


def parsed_detail(event: str, text: str | None, log: Path) -> dict[str, Any]:
    """The detail of an event; empty if it has none.

    Args:
        event: The event.
        text: Its detail.
        log: The log that it stands in, for the error.

    Raises:
        DamagedError: The detail is not what this event has.
    """
    if text is None:
        return {}
    try:
        parse_as(DETAILS.get(event, dict[str, Any]), text)
    except ValueError as error:
        raise DamagedError(f"{log} is damaged: the detail of an event {event!r} is {text[:60]!r} ({error})") from None
    return parsed_object(text, log)


def parsed_cell(text: str, name: str, table: Path) -> Any:
    """A value of a parameter whose column holds JSON.

    Args:
        text: The cell.
        name: The parameter.
        table: The table of trials, for the error.

    Raises:
        DamagedError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedError(f"{table} is damaged: a value of {name} is {text[:60]!r}, which is not JSON") from None


def account_of(text: str | None, log: Path) -> TimeAccount:
    """The time account in the detail of an event, as for :func:`parsed_detail`."""
    parsed_detail(ACCOUNT, text, log)
    account: TimeAccount = parse_as(TimeAccount, text or "{}")
    return account
