"""What `sweep show --ledger` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.analysis.time.ledger import Ledger, Part
from orchestrator.cli.formats import painted
from orchestrator.cli.views.table import aligned
from orchestrator.formatting import count

BAR = 24
"""Characters for the whole."""

LONG_S = 10_000.0
"""From so many seconds on, hours are easier to read."""

_WORDS: Mapping[Part, tuple[str, str]] = {
    "useful": ("trained to the end", ""),
    "stopped": ("stopped early", "by the scheduler"),
    "diverged": ("diverged", ""),
    "failed": ("failed", ""),
    "cancelled": ("cancelled", "cut off by the end of the sweep, or by you"),
    "unfinished": ("not ended yet", ""),
    "waiting": ("not training", "in a slot: beginning, waiting for decisions, ending"),
    "start-up": ("start-up", "Ray, and the trials' processes"),
    "idle": ("idle", "no trial in the slot"),
}


def ledger_text(name: str, found: Ledger) -> str:
    """A part a line, and what was saved."""
    hours = found.total >= LONG_S
    unit = f"{'GPU' if found.unit == 'gpu' else 'slot'}-{'hours' if hours else 'seconds'}"
    rows = [
        _row(words, found.seconds[part], found.total, hours, _trials(found, part) or meaning)
        for part, (words, meaning) in _WORDS.items()
        if found.seconds[part] or part in ("useful", "stopped", "start-up", "idle")
    ]
    rows.append(_row("total", found.total, found.total, hours, "", bar=False))
    lines = [f"{painted(name, None, bold=True)}: where its {unit} went", "", aligned(rows, right=(1, 2))]
    if found.saved is not None and found.in_full:
        saved, full = (_amount(value, hours) for value in (found.saved, found.in_full))
        share = found.saved / found.in_full
        lines += ["", f"Early stopping saved about {saved} of {full} {unit} of training ({share:.0%}):"]
        lines.append("what was stopped would have gone on to its end at its own mean time a step.")
    if missing := found.sessions - found.accounts:
        lines += ["", f"{missing} of {count(found.sessions, 'session')} left no account (killed, or still running):"]
        lines.append("of that only the training is in here for certain, and no idle time.")
    return "\n".join(lines)


def ledger_data(found: Ledger) -> dict[str, Any]:
    """The same for programs, in seconds."""
    return {
        "unit": found.unit,
        "seconds": dict(found.seconds),
        "total": found.total,
        "trials": dict(found.trials),
        "saved": found.saved,
        "in_full": found.in_full,
        "sessions": found.sessions,
        "accounts": found.accounts,
    }


def ledger_rows(found: Ledger) -> list[dict[str, Any]]:
    """A part a row."""
    return [
        {"part": part, "seconds": seconds, "unit": found.unit, "trials": found.trials.get(part)}
        for part, seconds in found.seconds.items()
    ]


def _row(words: str, seconds: float, total: float, hours: bool, remark: str, *, bar: bool = True) -> tuple[str, ...]:
    share = seconds / total if total else 0.0
    return words, _amount(seconds, hours), f"{share:.0%}", "█" * round(BAR * share) if bar else "", remark


def _amount(seconds: float, hours: bool) -> str:
    return f"{seconds / 3600:,.1f}" if hours else f"{seconds:,.1f}"


def _trials(found: Ledger, part: Part) -> str:
    number = found.trials.get(part, 0)
    return count(number, "trial") + (", by the scheduler" if part == "stopped" else "") if number else ""
