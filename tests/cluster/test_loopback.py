"""An embedded Ray is out of reach of other machines."""

from __future__ import annotations

import ipaddress
import subprocess
import sys

SCRIPT = """
import psutil, ray
from cluster.local import embedded

@ray.remote(num_cpus=1)
class Worker:
    def here(self):
        return True

with embedded(cpus=1):
    worker = Worker.remote()
    ray.get(worker.here.remote())
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    for process in processes:
        for connection in process.net_connections(kind="tcp"):
            if connection.status == "LISTEN":
                print(process.name(), connection.laddr.ip)
"""


def test_nothing_of_it_listens_but_on_loopback() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=True)
    listening = [line.split() for line in run.stdout.splitlines()]
    assert {name for name, _ in listening} >= {"gcs_server", "raylet", "ray::Worker"}
    for name, ip in listening:
        address = ipaddress.ip_address(ip)
        inner = getattr(address, "ipv4_mapped", None) or address
        assert inner.is_loopback, f"{name} listens on {ip}"
