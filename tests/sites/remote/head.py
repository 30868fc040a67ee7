"""A real Ray cluster on this machine, with the Jobs API and a token, apart from every other Ray here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cluster.local.reaper import reap

TOKEN = "cluster-token-" + "0123456789abcdef" * 4
START_S = 90.0


@dataclass(frozen=True)
class Head:
    """Where it is."""

    address: str
    home: Path  # of the user who runs it
    logs: Path


@contextmanager
def head(scratch: Path) -> Iterator[Head]:
    """Start it, and end it with all that it has started.

    Args:
        scratch: A directory with a short path: sockets lie in it.
    """
    home = scratch / "home"
    home.mkdir(parents=True)
    port, dashboard = _free_port(), _free_port()
    options = {
        "--port": port,
        "--dashboard-host": "127.0.0.1",
        "--dashboard-port": dashboard,
        "--num-cpus": 2,
        "--num-gpus": 0,
        "--temp-dir": scratch / "ray",
        "--dashboard-agent-listen-port": _free_port(),
    }
    words = [str(word) for option in options.items() for word in option]
    command = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        *words,
    ]
    process = subprocess.Popen(
        command, env=_environment(home), cwd=home, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{dashboard}"
        _wait_for(address, process)
        yield Head(address=address, home=home, logs=scratch / "ray")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for session in (scratch / "ray").glob("session_*_*"):
            reap("", session)
        process.wait(timeout=10)


def _environment(home: Path) -> dict[str, str]:
    """``python`` there is the one of the tests; nothing else of ours is, so that what a job needs must come along."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "SWEEP_"))}
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return (
        kept
        | {"HOME": str(home), "PATH": path, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
        | {"RAY_USAGE_STATS_ENABLED": "0"}
    )


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    asked = urllib.request.Request(f"{address}/api/jobs/", headers={"Authorization": f"Bearer {TOKEN}"})
    while True:
        try:
            urllib.request.urlopen(asked, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, "ray start has ended"
            assert time.monotonic() < deadline, f"no Jobs API at {address} after {START_S:.0f} s"
            time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
