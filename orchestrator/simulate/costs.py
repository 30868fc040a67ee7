"""What a sweep costs beside training, as measured: all that the virtual clock charges.

The driver is one process, and does one thing after the other: whoever needs it waits his turn. The figures are those of
two cores that driver and workers share, so on a head node of its own the driver is rather quicker. They come from the
records of the benchmarks that are named; ``python -m benchmarks.scale --check`` says when these have moved away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds. By default everything but training is free."""

    launch_s: float = 0.0  # from the command until trials can be started
    worker_s: float = 0.0  # of a slot: its process starts, before its first trial
    start_s: float = 0.0  # of the driver: it chooses and starts a trial, and writes its rows
    turn_s: float = 0.0  # of a slot, each trial: messages to and fro, while the driver does something else
    message_s: float = 0.0  # of the driver: it takes what a trial sent, decides, and answers
    report_s: float = 0.0  # of the driver: each report within a message becomes a row
    ask_s: float = 0.0  # of the driver: the search proposes a configuration
    ask_each_s: float = 0.0  # and for each trial that it knows
    heartbeat_s: float = math.inf  # so often a trial sends a message although no decision is due


MEASURED = Costs(
    launch_s=3.5,  # first_report: 5.2 s to the first report, less the start of a process
    worker_s=1.7,  # first_report
    start_s=0.0034,  # long_sweep: 4.7 ms a trial, less a message
    turn_s=0.004,  # short_trials: 9.2 ms between two trials of a slot, less what the driver has to do
    message_s=0.0013,  # driver
    report_s=0.00005,  # memory: 50 reports a trial, less long_sweep: one
)
"""Of one driver with a search that does not learn."""

TPE = {"ask_s": 0.005, "ask_each_s": 0.000016}  # driver
"""What is different with the search method tpe."""


def measured_costs(method: str, *, heartbeat_s: float, isolation: str = "reuse") -> Costs:
    """What is charged to a sweep.

    Args:
        method: Of its search.
        heartbeat_s: So often a trial sends a message at least.
        isolation: Whether a process serves trial after trial.
    """
    costs = replace(MEASURED, heartbeat_s=heartbeat_s, **(TPE if method == "tpe" else {}))
    return replace(costs, turn_s=costs.worker_s) if isolation == "process" else costs
