"""A Slurm job that runs one command on a Ray cluster of its own nodes: the sbatch script, as a pure function.

What the script asks for and sets comes from values; what it then does is the same for all jobs, and stands in
slurm.sh. On each of its nodes it runs ``cluster.launchers.node``.
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
"""How long before the time limit the command is told to stop; a quarter of a limit that is shorter than 8 minutes."""

KILL_WAIT_S = 20
"""Seconds that a command has to stop when Slurm ends the job: a little less than Slurm's usual KillWait."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """What is asked of Slurm; what is None is left to the partition."""

    nodes: int = 1
    cpus_per_node: int | None = None
    gpus_per_node: str | None = None  # a number, or a type and a number as in a100:4
    memory: int | None = None  # bytes a node
    seconds: float | None = None  # the time limit
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None


@dataclass(frozen=True)
class JobFiles:
    """Every file of one job, in a directory that all nodes see, and only the user."""

    root: Path  # absolute

    @property
    def script(self) -> Path:
        """What sbatch is given."""
        return self.root / "job.sh"

    @property
    def output(self) -> Path:
        """What the job prints."""
        return self.root / "output.log"

    @property
    def ticket(self) -> Path:
        """The job's number, as long as it waits or runs."""
        return self.root / "job"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command and its surroundings."""

    name: str
    command: Sequence[str]  # arguments for Python; the address of the Ray cluster is put behind them
    once: Sequence[str] = ()  # arguments before the address that are left out when the job was queued again
    files: JobFiles
    directory: Path  # in which the command runs
    allocation: Allocation
    modules: Sequence[str] = ()
    container: Sequence[str] = ()  # what stands before python3 to run it in a container
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable  # outside of a container


def script(job: Job) -> str:
    """The sbatch script. It holds no secret: a token is made when it runs."""
    python = [*job.container, "python3"] if job.container else [job.python]
    python.append("-P")  # a folder of the user's project may be called as ours are
    head = [
        "#!/bin/bash" + (" -l" if job.modules else ""),  # of a login shell, which knows `module`
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
        "no-kill",  # a lost node is the sweep's affair: its trials go on elsewhere
        f"signal=B:USR1@{_warning(asked)}",
    ]


def _one_word(value: str) -> str:
    """As sbatch reads a value in its comments: quotes hold blanks together."""
    return value if value.replace("-", "").isalnum() else '"' + value.replace('"', '\\"') + '"'


def _warning(asked: Allocation) -> int:
    return WARNING_S if asked.seconds is None else min(WARNING_S, int(asked.seconds / 4))
