"""The sbatch script of a job that runs one command on a Ray cluster of the job's own nodes, as a pure function.

What the script requests and sets comes from values; what it then does is the same for all jobs, and is in slurm.sh. On
each of its nodes it runs ``cluster.launchers.node``.
"""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

JOIN_S = 300
"""Seconds within which all nodes must have joined."""

WARNING_S = 120
"""Seconds before the time limit at which the command is told to stop; for limits below 8 minutes, a quarter of it."""

KILL_WAIT_S = 20
"""Seconds that a command has to stop when Slurm ends the job: slightly less than Slurm's usual KillWait."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """What is requested of Slurm; None leaves it to the partition."""

    nodes: int = 1
    cpus_per_node: int | None = None
    gpus_per_node: str | None = None  # a number, or a type and a number: a100:4
    memory: int | None = None  # bytes per node
    seconds: float | None = None  # the time limit
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None


@dataclass(frozen=True)
class JobFiles:
    """Every file of one job, in a directory that all nodes see, and only the user may read."""

    root: Path  # absolute

    @property
    def script(self) -> Path:
        """The script that is submitted."""
        return self.root / "job.sh"

    @property
    def output(self) -> Path:
        """What the job prints."""
        return self.root / "output.log"

    @property
    def ticket(self) -> Path:
        """Holds the job's number while the job waits or runs."""
        return self.root / "job"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command and what it runs in."""

    name: str
    command: Sequence[str]  # arguments of Python; the address of the Ray cluster is appended
    once: Sequence[str] = ()  # arguments before the address; left out after the job was requeued
    files: JobFiles
    directory: Path  # in which the command runs
    allocation: Allocation
    modules: Sequence[str] = ()
    container: Sequence[str] = ()  # what precedes python3 to run it in a container
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable  # outside of a container


def script(job: Job) -> str:
    """The sbatch script. It holds no secret: the token is made when the job runs."""
    python = [*job.container, "python3"] if job.container else [job.python]
    python.append("-P")  # a folder of the user's project may have the name of one of ours
    head = [
        "#!/bin/bash" + (" -l" if job.modules else ""),  # a login shell knows `module`
        *(f"#SBATCH --{each}" for each in _options(job)),
        "",
        *(f"module load {shlex.quote(module)} || exit 1" for module in job.modules),
        *(f"export {name}={shlex.quote(value)}" for name, value in job.environment.items()),
        f"python=({shlex.join(python)})",
        f"command=({shlex.join(job.command)})",
        f"once=({shlex.join(job.once)})",
        f"private={shlex.quote(str(job.files.root))} ticket={shlex.quote(str(job.files.ticket))}",
        f"join_s={JOIN_S} warning_s={_warning(job.allocation)} kill_wait_s={KILL_WAIT_S}",
    ]
    return "\n".join(head) + "\n\n" + Path(__file__).with_name("slurm.sh").read_text()


def _options(job: Job) -> list[str]:
    asked = job.allocation
    given = {
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
        "constraint": asked.constraint,
        "cpus-per-task": asked.cpus_per_node,
        "gres": asked.gpus_per_node and f"gpu:{asked.gpus_per_node}",
        "mem": asked.memory and f"{math.ceil(asked.memory / 2**20)}M",
        "time": asked.seconds and math.ceil(asked.seconds / 60),
    }
    return [
        f"job-name={_one_word(job.name)}",
        f"nodes={asked.nodes}",
        "ntasks-per-node=1",
        *(f"{name}={_one_word(str(value))}" for name, value in given.items() if value),
        f"chdir={_one_word(str(job.directory))}",
        f"output={_one_word(str(job.files.output).replace('%', '%%'))}",
        "open-mode=append",
        "requeue",
        "no-kill",  # a sweep handles a lost node itself: its trials continue elsewhere
        f"signal=B:USR1@{_warning(asked)}",
    ]


def _one_word(value: str) -> str:
    """A value as sbatch reads it in a comment: quoted if it has blanks."""
    return value if value.replace("-", "").isalnum() else '"' + value.replace('"', '\\"') + '"'


def _warning(asked: Allocation) -> int:
    return WARNING_S if asked.seconds is None else min(WARNING_S, int(asked.seconds / 4))
