"""An embedded Ray: out of reach of other machines, and without processes that no sweep needs."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import json, psutil, ray
from contextlib import suppress
from cluster.local.embedded import embedded
from ray._private.worker import global_worker
from pathlib import Path

@ray.remote(num_cpus=1)
class Worker:
    def here(self):
        return True

with embedded(cpus=2):
    worker = Worker.remote()
    ray.get(worker.here.remote())
    connected = hasattr(global_worker, "core_worker")
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    private = session.parents[1].stat().st_mode & 0o777
    processes = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # one that has ended since it was found
            connections = process.net_connections(kind="tcp")
            processes.append({
                "command": " ".join(process.cmdline()),
                "name": process.name(),
                "listens": [each.laddr.ip for each in connections if each.status == "LISTEN"],
            })
left = session.parents[1].exists()
goodbye = [connected, hasattr(global_worker, "core_worker")]
print(json.dumps({"private": private, "left": left, "connected": goodbye, "processes": processes}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What there is while it runs; TMPDIR is far too long for a socket, and there is no home."""
    long = tmp_path_factory.mktemp("x" * 120)
    surroundings = {name: value for name, value in os.environ.items() if name != "HOME"} | {"TMPDIR": str(long)}
    command = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=surroundings)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_nothing_of_it_listens_but_on_loopback(seen: dict[str, Any]) -> None:
    listening = [(process["name"], ip) for process in seen["processes"] for ip in process["listens"]]
    assert {name for name, _ in listening} >= {"gcs_server", "raylet", "ray::Worker"}
    for name, ip in listening:
        address = ipaddress.ip_address(ip)
        inner = getattr(address, "ipv4_mapped", None) or address
        assert inner.is_loopback, f"{name} listens on {ip}"


def test_nothing_runs_that_no_sweep_needs(seen: dict[str, Any]) -> None:
    commands = [process["command"] for process in seen["processes"]]
    for needless in ("dashboard.py", "monitor.py", "ray::IDLE"):
        assert not [command for command in commands if needless in command]


def test_ray_tells_when_it_has_said_goodbye(seen: dict[str, Any]) -> None:
    """Its processes are killed after that: see ``_shutdown`` in cluster/local/embedded.py."""
    assert seen["connected"] == [True, False]


def test_its_directory_is_for_this_user_alone_and_does_not_outlive_it(seen: dict[str, Any]) -> None:
    """Whoever can open its sockets can run code in its workers."""
    assert seen["private"] == 0o700
    assert not seen["left"]
