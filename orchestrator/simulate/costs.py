"""The measured overhead of a sweep, which the virtual clock charges in addition to training.

The driver is one process and handles one request at a time; the others wait. The search proposes beside it. The costs
were measured on two cores shared by driver and workers, so a driver on its own head node is somewhat faster. They come
from the records of the benchmarks named below; ``python -m benchmarks.scale --check`` reports when they no longer
match.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from orchestrator.spec.sections import DO_NOT_LEARN


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs in seconds. By default everything except training is free."""

    launch_s: float = 0.0  # from the command until trials can start
    worker_s: float = 0.0  # per slot: starting its process, before the first trial
    start_s: float = 0.0  # driver: choosing and starting a trial, and writing its rows
    turn_s: float = 0.0  # slot, per trial: message round trips during which the driver is free
    message_s: float = 0.0  # driver: receiving a message from a trial, deciding, answering
    report_s: float = 0.0  # driver: recording each report of a message
    ask_s: float = 0.0  # a proposal of the search, computed beside the driver
    ask_each_s: float = 0.0  # the same, per trial known to the search
    heartbeat_s: float = math.inf  # interval of messages from a trial when no decision is due


MEASURED = Costs(
    launch_s=3.5,  # first_report: 5.2 s to the first report, less the start of a process
    worker_s=1.7,  # first_report
    start_s=0.0034,  # long_sweep: 4.7 ms a trial, less a message
    turn_s=0.004,  # short_trials: 9.2 ms between two trials of a slot, less the driver's work
    message_s=0.0013,  # driver
    report_s=0.00005,  # memory: 50 reports a trial, less long_sweep: one
)
"""One driver with a search that does not learn."""

FORK_S = 0.012
"""What a process of its own adds to ``turn_s``: short_trials, 25 ms between two trials, where reuse has 13."""

FREE: dict[str, float] = {}
"""A proposal takes microseconds."""

TPE = {"ask_s": 0.005, "ask_each_s": 0.000016}  # driver
"""What a proposal of the search method tpe costs."""

AUTO = {"ask_s": 0.0085}
"""What a proposal of the search method auto costs: the mean of 2,500, 7 parameters, 20 slots; it does not grow."""

PROPOSALS = {"auto": AUTO, "tpe": TPE} | dict.fromkeys(DO_NOT_LEARN, FREE)
"""The same by method; of one that was not measured, it is that of tpe."""


def measured_costs(method: str, *, heartbeat_s: float, isolation: str = "fork") -> Costs:
    """The measured costs of a sweep.

    Args:
        method: The search method.
        heartbeat_s: The longest interval between messages of a trial.
        isolation: As in the spec: fork, process or reuse.
    """
    costs = replace(MEASURED, heartbeat_s=heartbeat_s, **PROPOSALS.get(method, TPE))
    turns = {"reuse": costs.turn_s, "fork": costs.turn_s + FORK_S, "process": costs.worker_s}
    return replace(costs, turn_s=turns[isolation])
