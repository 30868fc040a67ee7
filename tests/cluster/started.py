"""A Ray cluster on this machine as a person starts one, by `ray start`, with a token of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent


class Started:
    """Its head has two CPUs.

    Attributes:
        address: Of the head.
        env: For commands that are to find the token.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (home / "token").write_text("0123456789abcdef" * 4)
        own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self.env = own | {"RAY_AUTH_TOKEN_PATH": str(home / "token"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        self._ray("--head", f"--port={port}", "--num-cpus=2", "--num-gpus=0", "--include-dashboard=false")
        self.address = next(
            word.partition("=")[2]
            for process in self.processes("raylet")
            for word in process.cmdline()
            if word.startswith("--gcs-address=")
        )

    def node(self, *options: str) -> None:
        """Start a further node."""
        self._ray(f"--address={self.address}", *options)

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Those of the cluster, by the system's name for them."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(str(self._home) in word for word in process.cmdline()) and name in process.name():
                    found.append(process)
        return found

    def sweep(self, *words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return self.begun(*words, cwd=cwd, **env)[1]()

    def begun(
        self, *words: str, cwd: Path, **env: str
    ) -> tuple[subprocess.Popen[str], Callable[[], subprocess.CompletedProcess[str]]]:
        """Begin a command; its process, and what waits for it."""
        process = subprocess.Popen(
            ["sweep", *words],
            cwd=cwd,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        def ended() -> subprocess.CompletedProcess[str]:
            out, _ = process.communicate(timeout=200)
            return subprocess.CompletedProcess(words, process.returncode, out, "")

        return process, ended

    def _ray(self, *options: str) -> None:
        command = [BIN / "ray", "start", *options, "--disable-usage-stats"]
        if "--head" in options:
            command.append(f"--temp-dir={self._home}/ray")
        subprocess.run(command, env=self.env | {"RAY_AUTH_MODE": "token"}, check=True, capture_output=True, timeout=120)


@contextmanager
def started() -> Iterator[Started]:
    """While this is open; afterwards its processes are killed, and no others."""
    home = Path(tempfile.mkdtemp(prefix="sweep-", dir="/tmp"))  # Ray's sockets need a short path
    cluster = None
    try:
        cluster = Started(home)
        yield cluster
    finally:
        for process in cluster.processes() if cluster else ():
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(home, ignore_errors=True)
