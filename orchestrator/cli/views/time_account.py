"""`--profile`: where the time of a session went."""

from __future__ import annotations

from orchestrator.cli.views.table import aligned
from orchestrator.core.time_account import TimeAccount


def account_text(account: TimeAccount) -> str:
    """The parts of the slots' time, a line each, and how long the driver has recorded."""
    slots, wall = account.slots_s, account.wall_s
    rows = [
        _row("start-up", account.start_up_s, slots, "Ray, and the trials' processes"),
        _row("training", account.training_s, slots, ""),
        _row("scheduling", account.scheduling_s, slots, "in a slot without training: starting, deciding, ending"),
        _row("idle", account.idle_s, slots, "no trial in the slot"),
        _row("recording", account.recording_s, wall, "of the driver's wall time, beside the rest"),
    ]
    title = f"{wall:.1f} s of wall time, {slots:.1f} s of all slots:"
    return f"{title}\n{aligned(rows, right=(1, 2), indent='  ')}"


def _row(name: str, seconds: float, whole: float, meaning: str) -> tuple[str, ...]:
    return name, f"{seconds:.1f} s", f"{seconds / whole if whole else 0.0:.0%}", meaning
