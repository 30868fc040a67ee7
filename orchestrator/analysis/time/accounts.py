"""Where the time of a sweep's sessions went, as each recorded it at its end."""

from __future__ import annotations

import json

from orchestrator.core.rows import ACCOUNT
from orchestrator.core.time_account import TimeAccount
from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths


def accounts(paths: SweepPaths) -> list[TimeAccount]:
    """One a session that came to its end, in their order. A session that was killed left none."""
    rows = events_table(paths, ["event", "detail"]).to_pylist()
    return [TimeAccount(**json.loads(row["detail"])) for row in rows if row["event"] == ACCOUNT]
