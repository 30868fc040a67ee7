"""Repairs what is damaged: the newest file of a log, the table of trials, a lease that nobody can read.

Damaged files are kept under hidden names. The table of trials is written again from the logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.after.repair_log import Repaired, repair_logs
from orchestrator.control.hold_lease import hold_lease
from orchestrator.core.build import build_sweep
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.search.random import RandomSearch
from orchestrator.errors import RecordsError, UserError
from orchestrator.records.decode import event_rows, metric_rows
from orchestrator.records.load import events_table, metrics_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.records.trials_table import TrialsTable
from orchestrator.records.verify import verify
from orchestrator.spec import parse_spec


def repair(paths: SweepPaths, *, waiting: Callable[[str], None] = lambda sentence: None) -> list[Repaired]:
    """Repair what can be repaired of a sweep that is not running.

    Where a trial ran, and its diagnosis, stand in the table alone: they are lost with it.

    Args:
        paths: The sweep's files.
        waiting: Called with a sentence, if a driver may still be alive.

    Raises:
        LeaseHeldError: The sweep is running.
        RecordsError: A file cannot be written.
    """
    done = []
    unreadable = paths.lease.exists()
    with hold_lease(paths, waiting) as check:
        if unreadable:
            done.append(Repaired(file=paths.lease, text="a lease that no driver holds is gone"))
        done += repair_logs(paths, verify(paths).problems, check)
        damaged = {problem.record for problem in verify(paths).problems}
        lost = not paths.trials_table.exists() and events_table(paths, ["trial"]).num_rows > 0
        if damaged == {"trials"} or (lost and not damaged):
            check()
            trials = _write_table(paths)
            done.append(Repaired(file=paths.trials_table, text=f"{trials} trials are written again from the logs"))
    return done


def _write_table(paths: SweepPaths) -> int:
    """Write trials.parquet from the logs; returns the number of trials."""
    info = read_sweep_json(paths.info)
    try:
        spec = parse_spec(info.spec, base=Path(info.directory))
        space = spec.parameter_space()
        sweep = build_sweep(spec, None, search=RandomSearch(space, info.seed))  # nothing is proposed
    except UserError as error:
        raise RecordsError(
            f"{paths.trials_table} cannot be written again, because of the recorded spec: {error}"
        ) from None
    recorded = Recorded(
        events=event_rows(events_table(paths), paths.events, strict=True), metrics=metric_rows(metrics_table(paths))
    )
    now = time.time()
    replay(sweep, recorded, now, requeue=False)
    if paths.trials_table.exists():
        paths.trials_table.rename(paths.trials_table.with_name(f".{paths.trials_table.name}.damaged"))
    table = TrialsTable(paths.trials_table, info.name, space.kinds)
    for trial in sweep.trials:
        table.put(trial.row(now))
    table.write()
    return len(sweep.trials)
