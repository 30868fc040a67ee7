"""The audit of early stopping, as `sweep show` tells it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestrator.analysis.compare.audit import AuditResult
from orchestrator.formatting import count, duration


def audit_text(found: AuditResult | None) -> str:
    """How often a cut was wrong, and what the cuts saved; empty without an audit."""
    if found is None:
        return ""
    going_on = f" ({found.going_on} not at its end yet)" if found.going_on else ""
    ran_on = f"audit: {len(found.audited)} of {count(found.cut, 'trial')} that would be cut ran on to the end{going_on}"
    lines = [ran_on + (f": {_wrong(found)}" if found.audited else "")]
    if found.saved_s is not None:
        cost = f", the audit took {duration(found.spent_s)}" if found.spent_s else ""
        lines.append(f"       cuts saved about {duration(found.saved_s)} of training{cost}")
    return "\n".join(lines)


def _wrong(found: AuditResult) -> str:
    best = f"trial {', '.join(map(str, found.best))}" if found.best else "none"
    words = f"{best} would have become the best"
    if found.judged:
        share = f"the best 1/{found.reduction_factor} at the next rung"
        words += f", {len(found.passed)} of {found.judged} would have been among {share}"
    return words


def audit_data(found: AuditResult | None) -> dict[str, Any] | None:
    """The audit as data; null without one."""
    return None if found is None else asdict(found)
