"""Slurm's queue, through Slurm's own commands: submit a script, ask for its job's state, cancel the job."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

ANSWER_S = 60
"""Seconds after which a Slurm that does not answer counts as unreachable."""

_ENDED = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_ME")
_REASONS = {
    "BeginTime": "it may start soon",
    "Dependency": "another job must end first",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "it is on hold",
    "Priority": "other jobs have priority",
    "ReqNodeNotAvail": "the requested nodes are not available",
    "Resources": "no nodes are free",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state of a job."""

    job: str
    state: str  # in Slurm's words
    reason: str = "None"  # why it waits, in Slurm's words
    exit_code: int = 0

    @property
    def waits(self) -> bool:
        """Whether the job is in the queue."""
        return self.state in ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT")

    @property
    def ended(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self.state.startswith(_ENDED)

    def sentence(self) -> str:
        """For people: ``job 12 waits: other jobs have priority (Priority)``."""
        if self.waits and self.reason == "None":  # Slurm has not looked at it yet
            return f"job {self.job} waits"
        if self.waits:
            told = _REASONS.get(self.reason)
            return f"job {self.job} waits: {f'{told} ({self.reason})' if told else self.reason}"
        return f"job {self.job} is {self.state}"


def submit(script: Path, ticket: Path) -> str:
    """Submit a script, and write its job's number into the ticket, which the job removes when it ends.

    The job gets the environment of this process.

    Returns:
        The job's number.

    Raises:
        ClusterError: There is no Slurm here, or it refuses.
    """
    job = _slurm(["sbatch", "--parsable", "--export=ALL", str(script)]).strip().partition(";")[0]
    ticket.write_text(job)
    return job


def standing(ticket: Path) -> Standing | None:
    """The state of a ticket's job; None if there is no ticket, or Slurm has forgotten the job.

    Raises:
        ClusterError: Slurm does not answer.
    """
    try:
        return look(ticket.read_text())
    except FileNotFoundError:
        return None
    except ClusterError as error:
        if "Invalid job id" in str(error):
            return None
        raise


def look(job: str) -> Standing:
    """The state of a job, by its number.

    Raises:
        ClusterError: Slurm does not answer, or has forgotten the job, as it does some minutes after the job's end.
    """
    return read(job, _slurm(["scontrol", "--oneliner", "show", "job", job]))


def read(job: str, told: str) -> Standing:
    """What `scontrol show job` prints, as a value."""
    words = dict(re.findall(r"(?<!\S)(JobState|Reason|ExitCode)=(\S+)", told))
    code, _, number = words["ExitCode"].partition(":")
    killed = int(number or 0)
    return Standing(
        job=job, state=words["JobState"], reason=words["Reason"], exit_code=128 + killed if killed else int(code)
    )


def cancel(job: str) -> None:
    """End a job, whether it waits or runs; a running one stops in order.

    Raises:
        ClusterError: Slurm does not answer, or refuses.
    """
    _slurm(["scancel", job])


def _slurm(command: Sequence[str]) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise ClusterError(f"Slurm is not installed here: {command[0]} was not found") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"Slurm did not answer within {ANSWER_S} s ({command[0]})") from None
    if ran.returncode:
        said = ran.stderr.replace(f"{command[0]}: ", "").replace("error: ", "")
        raise ClusterError(f"Slurm refused: {' '.join(said.split()) or f'exit code {ran.returncode}'}")
    return ran.stdout
