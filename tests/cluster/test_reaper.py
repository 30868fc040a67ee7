"""A driver that is killed leaves no process of Ray behind, nor what its tasks have started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

DRIVER = """
import psutil, subprocess, sys, time
from cluster.local.embedded import embedded
with embedded(cpus=1, gpus=0):
    import ray
    @ray.remote
    def work():
        subprocess.run(["sleep", "600"])
    work.remote()
    while not any(child.name() == "sleep" for child in psutil.Process().children(recursive=True)):
        time.sleep(0.1)
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("victim", ["driver", "raylet", "nobody"])
def test_nothing_of_ray_outlives_its_driver(victim: str) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == "ready\n"
    family = psutil.Process(driver.pid).children(recursive=True)
    assert any("sleep" in process.name() for process in family)
    if victim == "driver":
        os.kill(driver.pid, signal.SIGKILL)
    elif victim == "raylet":
        next(process for process in family if process.name() == "raylet").kill()
    driver.communicate("\n", timeout=90)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


def test_nor_a_driver_that_is_killed_while_ray_starts() -> None:
    """The reaper has not been told of the session then."""
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    family = psutil.Process(driver.pid)
    while not any(child.name() == "ray::RuntimeEnvAgent" for child in family.children(recursive=True)):
        time.sleep(0.01)
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 20
    while left := [process for process in psutil.process_iter() if _is_of(process, driver.pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def _is_of(process: psutil.Process, driver: int) -> bool:
    try:
        return any(f"_{driver}/logs/" in file.path for file in process.open_files())
    except psutil.Error:
        return False
