"""The Slurm job that stands for a sweep: while there is one and no driver yet, the sweep is queued."""

from __future__ import annotations

import time

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.queue import Standing
from cluster.launchers.slurm import JobFiles
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths

UNKNOWN = "UNKNOWN"
"""The state of a job that cannot be asked for here."""


def standing(paths: SweepPaths) -> Standing | None:
    """How the sweep's job stands; None if there is none, or it has ended."""
    ticket = JobFiles(paths.slurm).ticket
    try:
        found = queue.standing(ticket)
    except ClusterError:  # as on a machine that sees the directory and has no Slurm
        return Standing(job=ticket.read_text(), state=UNKNOWN)
    return None if found is None or found.ended else found


def cancel(paths: SweepPaths) -> str:
    """End the sweep's job, and wait until it has ended; its number. What waits never runs; what runs stops in order.

    Raises:
        SweepError: Slurm does not let us, or does not answer.
    """
    ticket = JobFiles(paths.slurm).ticket
    job = ticket.read_text()
    try:
        queue.cancel(job)
        while (found := queue.standing(ticket)) is not None and not found.ended:
            time.sleep(0.5)
    except ClusterError as error:
        raise SweepError(str(error)) from error
    ticket.unlink(missing_ok=True)
    return job
