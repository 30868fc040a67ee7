"""`sweep show --ledger`: where the time of the slots or GPUs went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.analysis.time.ledger import Ledger, Part
from orchestrator.cli.formats import painted
from orchestrator.cli.views.table import aligned
from orchestrator.formatting import count

BAR = 24
"""Characters of a bar for all of the time."""

LONG_S = 10_000.0
"""Seconds from which on times are printed in hours."""

_WORDS: Mapping[Part, tuple[str, str]] = {
    "useful": ("trained to the end", ""),
    "stopped": ("stopped early", "by the scheduler"),
    "diverged": ("diverged", ""),
    "failed": ("failed", ""),
    "cancelled": ("cancelled", "by the end of the sweep, or by sweep stop"),
    "unfinished": ("not ended yet", ""),
    "waiting": ("not training", "starting, waiting for decisions, ending"),
    "start-up": ("start-up", "of Ray and of worker processes"),
    "idle": ("idle", "slots without a trial"),
}


def ledger_text(name: str, found: Ledger) -> str:
    """One line for each part of the time, and what early stopping saved."""
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
        lines += ["", f"Early stopping saved about {saved} of {full} {unit} of training ({share:.0%}),"]
        lines.append("had stopped trials trained on at their own mean time per step.")
    if missing := found.sessions - found.accounts:
        lines += ["", f"{missing} of {count(found.sessions, 'session')} left no time account (killed or running)."]
        lines.append("Their training time is included, their idle time is not.")
    return "\n".join(lines)


def ledger_data(found: Ledger) -> dict[str, Any]:
    """The ledger as data, in seconds."""
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
    """One row for each part of the time."""
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
