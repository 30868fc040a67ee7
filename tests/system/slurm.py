"""A real Slurm for the tests: munged, slurmctld and two slurmd as processes of our own; its GPUs are pretended."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
NODES, CPUS, GPUS = 2, 2, 2

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={here}/munge.sock,cred_expire=5
StateSaveLocation={here}/state
SlurmdSpoolDir={here}/spool-%n
SlurmctldPidFile={here}/slurmctld.pid
SlurmdPidFile={here}/slurmd-%n.pid
SlurmctldLogFile={here}/slurmctld.log
SlurmdLogFile={here}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=2,sched_interval=2
ReturnToService=2
KillWait=30
GresTypes=gpu
NodeName=DEFAULT CPUs={cpus} RealMemory=4096 Gres=gpu:{gpus}
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[2]}]
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=n[1-{nodes}] Default=YES DefaultTime=10 MaxTime=60 PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes=n[1-{nodes}] DefaultTime=10 MaxTime=60 PriorityTier=2
"""
"""``cred_expire``: a job that was queued again waits for so long, on top of a second; Slurm's own is two minutes."""


class Slurm:
    """The daemons, and what the tests ask of them. Commands find it by SLURM_CONF."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.conf = here / "slurm.conf"
        self._daemons: list[subprocess.Popen[bytes]] = []
        (here / "state").mkdir()
        (here / "munge.key").write_bytes(os.urandom(128))
        (here / "munge.key").chmod(0o400)
        host = socket.gethostname()
        user = psutil.Process().username()
        ports = _neighbouring_ports(1 + NODES)
        self.conf.write_text(
            CONF.format(host=host, user=user, here=here, ports=ports, nodes=NODES, cpus=CPUS, gpus=GPUS)
        )
        devices = "".join(f"Name=gpu File={self._device(number)}\n" for number in range(GPUS))
        (here / "gres.conf").write_text(devices)

    def start(self) -> None:
        """Start all, and wait until both nodes are idle."""
        munge = ("socket", "key-file", "pid-file", "log-file", "seed-file")
        files = ("munge.sock", "munge.key", "munged.pid", "munged.log", "munged.seed")
        options = [f"--{option}={self.here / file}" for option, file in zip(munge, files, strict=True)]
        self._daemon("munged", "--foreground", "--force", *options)
        self.wait_for((self.here / "munge.sock").exists, 10)
        self._daemon("slurmctld", "-D", "-f", str(self.conf))
        for number in range(1, NODES + 1):
            self._daemon("slurmd", "-D", "-N", f"n{number}", "-f", str(self.conf))
        self.wait_for(lambda: self.run("sinfo", "--noheader", "--format=%T %D").strip() == f"idle {NODES}", 60)

    def stop(self) -> None:
        """End the daemons and what their jobs have left, the youngest first."""
        for daemon in reversed(self._daemons):
            with suppress(psutil.NoSuchProcess):
                steps = psutil.Process(daemon.pid).children(recursive=True)
                for process in [psutil.Process(daemon.pid), *steps]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
            daemon.wait(timeout=30)

    def run(self, *command: str) -> str:
        """What one of Slurm's commands says."""
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=60)
        return done.stdout

    def environment(self) -> dict[str, str]:
        """In which its commands find it."""
        return {**os.environ, "SLURM_CONF": str(self.conf)}

    def job(self, number: str) -> dict[str, str]:
        """How a job stands, by Slurm's names."""
        return dict(word.partition("=")[::2] for word in self.run("scontrol", "-o", "show", "job", number).split())

    def wait_for(self, what: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, f"still not so after {seconds:.0f} s\n{self.said()}"
            time.sleep(0.2)

    def said(self) -> str:
        """The end of every log."""
        return "\n".join(
            f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(self.here.glob("*.log"))
        )

    def _daemon(self, *command: str) -> None:
        out = (self.here / f"{command[0]}-out.log").open("ab")
        search = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has daemons
        with out:
            self._daemons.append(
                subprocess.Popen(command, env={**self.environment(), "PATH": search}, stdout=out, stderr=out)
            )

    def _device(self, number: int) -> Path:
        """Slurm gives out devices: one like /dev/null will do."""
        file = self.here / f"gpu{number}"
        subprocess.run([*ROOT, "mknod", str(file), "c", "1", "3"], check=True)
        return file


def _neighbouring_ports(count: int) -> list[int]:
    """Free ones in a row: a line of slurm.conf has a range of them."""
    for first in range(20_000, 30_000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return list(range(first, first + count))
    raise AssertionError("no free ports")
