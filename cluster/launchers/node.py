"""One node's part of a Ray cluster in a Slurm job: ``srun python -m cluster.launchers.node DIRECTORY PID`` on each.

The first node is the head; the others read the head's address from the directory, which all nodes see. Each node
reports there that it is up. SIGUSR1 ends a node. SIGTERM, which Slurm sends to everything that srun has started, does
not reach Ray, because the driver needs Ray to stop in order. The head forwards SIGTERM to the batch script, which Slurm
leaves out when a job has to make way for another.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.ray_private.daemons import STARTED, start_command
from cluster.ray_private.environment import set_for_ray

LONGEST_TMP = 30
"""Characters that a temporary directory may have, before the paths of Ray's sockets in it get too long."""


def main(directory: Path, script: int) -> int:
    """Run Ray on this node until this process is told to end, or Ray ends.

    Args:
        directory: The directory of this run of the job.
        script: The batch script's pid, on the first node.

    Returns:
        An exit code.
    """
    allocated = os.environ
    rank, node = allocated["SLURM_PROCID"], allocated["SLURMD_NODENAME"]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # inherited by the processes that it starts
    signal.signal(signal.SIGTERM, lambda number, frame: _hand_on(script) if rank == "0" else None)
    signal.signal(signal.SIGUSR1, _leave)
    set_for_ray()
    alone = allocated["SLURM_NNODES"] == "1"
    temporary = tempfile.mkdtemp(prefix="sweep-", dir=_short_tmp())
    ray: subprocess.Popen[str] | None = None
    try:
        if rank == "0":
            ip = "127.0.0.1" if alone else own_address(node)
            address, joining = f"{ip}:{_free_port(ip)}", head_options
        else:
            address, joining = _wait_for(directory / "address"), worker_options
            ip = own_address(node)
        options = [*joining(address), f"--node-ip-address={ip}", f"--temp-dir={temporary}", *shares(allocated)]
        command = [*start_command(), "--block", *PORTS, *options]
        ray = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        assert ray.stdout is not None
        said = []
        for line in ray.stdout:
            said.append(line)
            if STARTED in line:
                said.clear()
                if rank == "0":
                    _write(directory / "address", address)
                _write(directory / "up" / rank, node)
        print(f"Ray on {node} has ended:", *said, sep="\n", flush=True)
        return 1
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        if ray is not None:
            _end(ray.pid)
        shutil.rmtree(temporary, ignore_errors=True)


PORTS = (
    "--min-worker-port=0",  # the system chooses free ports: another job's Ray may run on this node
    "--max-worker-port=0",
    "--dashboard-agent-listen-port=0",
    "--disable-usage-stats",
)


def head_options(address: str) -> list[str]:
    """Options of `ray start` on the node that the others join."""
    return ["--head", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false"]


def worker_options(address: str) -> list[str]:
    """Options of `ray start` on the other nodes."""
    return [f"--address={address}"]


def shares(allocated: Mapping[str, str]) -> list[str]:
    """What Slurm has allocated to the job on this node, as options of `ray start`.

    Args:
        allocated: The environment of a Slurm task.
    """
    visible = [each for each in allocated.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
    options = [
        f"--num-cpus={allocated['SLURM_CPUS_ON_NODE']}",
        f"--num-gpus={allocated.get('SLURM_GPUS_ON_NODE', len(visible))}",
    ]
    mebibytes = int(allocated.get("SLURM_MEM_PER_NODE", 0))
    mebibytes = mebibytes or int(allocated.get("SLURM_MEM_PER_CPU", 0)) * int(allocated["SLURM_CPUS_ON_NODE"])
    return [*options, f"--memory={mebibytes * 2**20}"] if mebibytes else options


def own_address(node: str) -> str:
    """The address by which other nodes reach this one: the one of its name, else of its route to them."""
    with suppress(OSError):
        found = socket.gethostbyname(node)
        if not found.startswith("127."):
            return found
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing, only looks up the route
        return str(probe.getsockname()[0])


def _free_port(ip: str) -> int:
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return int(probe.getsockname()[1])


def _short_tmp() -> str:
    given = tempfile.gettempdir()
    return given if len(given) <= LONGEST_TMP else "/tmp"


def _wait_for(file: Path) -> str:
    """What the head writes; the batch script ends the wait if it never does."""
    while True:
        with suppress(FileNotFoundError):
            return file.read_text()
        time.sleep(0.5)


def _write(file: Path, text: str) -> None:
    hidden = file.with_name(f".{file.name}")
    hidden.write_text(text)
    hidden.replace(file)


def _hand_on(script: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(script, signal.SIGTERM)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


def _end(pid: int) -> None:
    """Kill a process and its descendants: SIGTERM would not reach them."""
    with suppress(psutil.NoSuchProcess):
        ray = psutil.Process(pid)
        for process in [ray, *ray.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
