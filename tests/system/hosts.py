"""Hosts that can be cut off from each other: network namespaces on one bridge, with a Ray node in each."""

from __future__ import annotations

import os
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
TOKEN = "a-token-for-the-test"
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_USAGE_STATS_ENABLED": "0",
    "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
}
MARK = f"sw{os.getpid() % 100_000}"
"""Begins the names of all that is made, so that two runs do not meet."""
LETTERS = iter(string.ascii_letters)
"""The next in the names, so that no hosts meet what the kernel is still removing of those before."""


class Host:
    """A namespace with an address, and at most one Ray node, whose processes are all those of the namespace."""

    def __init__(self, mark: str, number: int) -> None:
        self.name = f"{mark}-{number}"
        self.address = f"10.77.83.{number + 1}"
        self._cable = f"{mark}v{number}"  # the end of it that is at the bridge

    def plug_in(self, bridge: str) -> None:
        """Make it, and connect it to the others."""
        inner = f"{MARK}i"
        ip("netns", "add", self.name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", inner, "netns", self.name)
        ip("link", "set", self._cable, "master", bridge, "up")
        for command in (
            ["addr", "add", f"{self.address}/24", "dev", inner],
            ["link", "set", inner, "up"],
            ["link", "set", "lo", "up"],
        ):
            ip("-n", self.name, *command)

    def cut(self) -> None:
        """Nobody reaches it any more, and it reaches nobody."""
        ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        """It is back."""
        ip("link", "set", self._cable, "up")

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Begin a command there, with what it says in one pipe."""
        return subprocess.Popen(
            [*ROOT, "ip", "netns", "exec", self.name, *command],
            cwd=cwd,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> None:
        """Kill whatever runs there, and remove it."""
        for _ in range(3):
            pids = ip("netns", "pids", self.name, check=False).split()  # it fails where one ends as it looks
            if pids:
                subprocess.run([*ROOT, "kill", f"-{signal.SIGKILL.value}", *pids], check=False, capture_output=True)
                time.sleep(0.2)
        ip("netns", "del", self.name, check=False)  # there is none if another could not be made


class Hosts:
    """A head, whose Ray takes no trials, and others with one CPU each."""

    def __init__(self, count: int) -> None:
        mark = MARK + next(LETTERS)
        self.head, *self.others = (Host(mark, number) for number in range(count + 1))
        self.address = f"{self.head.address}:6379"
        self._bridge = f"{mark}b"
        self._directory = Path(tempfile.mkdtemp(prefix=MARK, dir="/tmp"))  # short, as the paths of sockets must be
        self._nodes: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Returns when all nodes have joined."""
        ip("link", "add", self._bridge, "type", "bridge")
        ip("link", "set", self._bridge, "up")
        for host in (self.head, *self.others):
            host.plug_in(self._bridge)
        self._start(self.head, "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
        for host in self.others:
            self._start(host, f"--address={self.address}", "--num-cpus=1")

    def _start(self, host: Host, *options: str) -> None:
        node = host.run(
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-gpus=0"),
            *("--object-store-memory=80000000", f"--node-ip-address={host.address}"),
            *(f"--temp-dir={self._directory / host.name.rpartition('-')[2]}", *options),
        )
        self._nodes.append(node)
        assert node.stdout is not None
        said = ""
        for line in node.stdout:
            said += line
            if "Ray runtime started" in line:
                return
        raise AssertionError(said)

    def stop(self) -> None:
        """Leave nothing behind."""
        for host in (*self.others, self.head):
            host.end()
        for node in self._nodes:
            node.communicate()
        ip("link", "del", self._bridge, check=False)
        shutil.rmtree(self._directory, ignore_errors=True)


def ip(*arguments: str, check: bool = True) -> str:
    """`ip` as root; returns what it prints."""
    return subprocess.run(
        [*ROOT, "ip", *arguments], check=check, capture_output=True, text=True, env={**os.environ, **ENVIRONMENT}
    ).stdout
