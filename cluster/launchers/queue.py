"""Slurm's queue, by its own commands: hand a script in, ask how its job stands, cancel it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

ANSWER_S = 60
"""Seconds after which a Slurm that does not answer counts as out of reach."""

_ENDED = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_ME")
_REASONS = {
    "BeginTime": "it may begin in a moment",
    "Dependency": "for another job",
    "JobHeldAdmin": "an administrator holds it back",
    "JobHeldUser": "it is held back",
    "Priority": "others are before it",
    "ReqNodeNotAvail": "the nodes it asks for are not available",
    "Resources": "for nodes to become free",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a job stands."""

    job: str
    state: str  # in Slurm's words
    reason: str = "None"  # why it waits, likewise
    exit_code: int = 0

    @property
    def waits(self) -> bool:
        """Whether it is in the queue."""
        return self.state in ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT")

    @property
    def ended(self) -> bool:
        """Whether it will not run any more."""
        return self.state.startswith(_ENDED)

    def sentence(self) -> str:
        """For people: ``job 12 waits: others are before it (Priority)``."""
        if self.waits and self.reason == "None":  # not looked at yet
            return f"job {self.job} waits"
        if self.waits:
            told = _REASONS.get(self.reason)
            return f"job {self.job} waits: {f'{told} ({self.reason})' if told else self.reason}"
        return f"job {self.job} is {self.state}"


def submit(script: Path, ticket: Path) -> str:
    """Hand a script in, and note its job in the ticket, which the job removes when it ends; the job's number.

    The job gets the environment of this process.

    Raises:
        ClusterError: There is no Slurm here, or it refuses, and why.
    """
    job = _slurm(["sbatch", "--parsable", "--export=ALL", str(script)]).strip().partition(";")[0]
    ticket.write_text(job)
    return job


def standing(ticket: Path) -> Standing | None:
    """How the job of a ticket stands; None if there is none, or Slurm has forgotten it.

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
    """How a job stands, by its number.

    Raises:
        ClusterError: Slurm does not answer, or has forgotten it, as it does some minutes after the end.
    """
    return read(job, _slurm(["scontrol", "--oneliner", "show", "job", job]))


def read(job: str, told: str) -> Standing:
    """What `scontrol show job` has told, as a value."""
    words = dict(re.findall(r"(?<!\S)(JobState|Reason|ExitCode)=(\S+)", told))
    code, _, number = words["ExitCode"].partition(":")
    killed = int(number or 0)
    return Standing(
        job=job, state=words["JobState"], reason=words["Reason"], exit_code=128 + killed if killed else int(code)
    )


def cancel(job: str) -> None:
    """End a job, whether it waits or runs; one that runs stops in order.

    Raises:
        ClusterError: Slurm does not answer, or does not let us.
    """
    _slurm(["scancel", job])


def _slurm(command: Sequence[str]) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise ClusterError(f"there is no Slurm here: no command {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"Slurm did not answer for {ANSWER_S} s ({command[0]})") from None
    if ran.returncode:
        said = ran.stderr.replace(f"{command[0]}: ", "").replace("error: ", "")
        raise ClusterError(f"Slurm says no: {' '.join(said.split()) or f'exit code {ran.returncode}'}")
    return ran.stdout
