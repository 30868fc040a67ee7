"""The Slurm job of a sweep; a sweep with a job but no driver yet is queued."""

from __future__ import annotations

import time

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.queue import Standing
from cluster.launchers.slurm import JobFiles
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths

UNKNOWN = "UNKNOWN"
"""The state of a job if Slurm is not available here."""


def job_status(paths: SweepPaths) -> Standing | None:
    """The state of the sweep's job; None if there is no job, or it has ended."""
    ticket = JobFiles(paths.slurm).ticket
    try:
        found = queue.standing(ticket)
    except ClusterError:  # for example on a machine without Slurm that sees the directory
        return Standing(job=ticket.read_text(), state=UNKNOWN)
    return None if found is None or found.ended else found


def cancel(paths: SweepPaths) -> str:
    """Cancel the sweep's job, wait for its end, and return its number. A running sweep stops in order.

    Raises:
        SweepError: Slurm refuses, or does not answer.
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
