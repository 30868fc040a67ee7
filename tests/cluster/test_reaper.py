"""A driver that is killed leaves no process of Ray behind, nor what its tasks have started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cluster.local.reaper import reap
from tests.terminal import name_of

pytestmark = pytest.mark.long

DRIVER = """
import psutil, subprocess, sys, time
from cluster.local.embedded import embedded
with embedded(cpus=1, gpus=0):
    import ray
    @ray.remote
    def work():
        subprocess.run(["sleep", "600"])
    work.remote()
    def sleeps():
        try:
            return any(child.name() == "sleep" for child in psutil.Process().children(recursive=True))
        except psutil.NoSuchProcess:  # one that has ended since it was found
            return False
    while not sleeps():
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
    assert any("sleep" in name_of(process) for process in family)
    if victim == "driver":
        os.kill(driver.pid, signal.SIGKILL)
    elif victim == "raylet":
        next(process for process in family if name_of(process) == "raylet").kill()
    driver.communicate("\n", timeout=90)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


def test_nor_a_driver_that_is_killed_while_ray_starts() -> None:
    """The reaper has not been told of the session then."""
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    family = psutil.Process(driver.pid)
    while not any(name_of(child) == "ray::RuntimeEnvAgent" for child in family.children(recursive=True)):
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


def test_a_session_that_is_reached_by_a_link_is_reaped(tmp_path: Path) -> None:
    """As on macOS, where /tmp is one: the system names open files by where they really lie."""
    (tmp_path / "private").mkdir()
    (tmp_path / "tmp").symlink_to(tmp_path / "private")
    session = tmp_path / "tmp" / "session_1"
    session.mkdir()
    opened = "import sys, time; file = open(sys.argv[1], 'w'); print('open', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", opened, str(session / "log")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    reap("", session)
    assert process.wait(timeout=30) == -signal.SIGKILL
    process.stdout.close()
