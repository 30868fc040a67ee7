"""SIGTERM to a driver's process group, or to every process of its job, leaves its Ray and its workers at work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.terminal import name_of, signal_all

DRIVER = """
import signal, sys
from cluster.ray_private.sigterm_isolation import ignore_sigterm
from cluster.local.embedded import embedded
with embedded(cpus=1, gpus=0):
    import ray
    @ray.remote
    class Counter:
        def __init__(self):
            ignore_sigterm()
            self.count = 0
        def add(self):
            self.count += 1
            return self.count
    counter = Counter.remote()
    signal.signal(signal.SIGTERM, lambda *_: print("told", flush=True))
    print(ray.get(counter.add.remote()), flush=True)
    sys.stdin.readline()
    print(ray.get(counter.add.remote()), flush=True)
"""


@pytest.fixture
def driver() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("reach", ["group", "job"])
def test_sigterm_reaches_the_driver_only(driver: subprocess.Popen[str], reach: str) -> None:
    assert driver.stdout is not None
    assert driver.stdout.readline() == "1\n"
    family = psutil.Process(driver.pid).children(recursive=True)
    for name in ("gcs_server", "raylet"):  # fails loudly when Ray starts them in another way
        process = next(process for process in family if name_of(process) == name)
        assert os.getsid(process.pid) == process.pid
    if reach == "group":
        os.killpg(driver.pid, signal.SIGTERM)
    else:
        signal_all([*family, psutil.Process(driver.pid)], signal.SIGTERM)
    assert driver.stdout.readline() == "told\n"
    out, err = driver.communicate("\n", timeout=60)
    assert (out, driver.returncode) == ("2\n", 0), err  # the same actor, with what it had counted
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


WORKER = """
import json, multiprocessing, os, signal, subprocess, threading, time
from cluster.ray_private.sigterm_isolation import ignore_sigterm
codes = []
def train():
    for method in ("fork", "spawn"):
        child = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,))
        child.start()
        child.terminate()
        child.join()
        codes.append(child.exitcode)
    process = subprocess.Popen(["sleep", "60"])
    process.terminate()
    codes.append(process.wait())
if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # as a worker inherits it
    ignore_sigterm()
    os.kill(os.getpid(), signal.SIGTERM)
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    print(json.dumps(codes))
"""


def test_what_a_trial_starts_can_be_terminated(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    done = subprocess.run([sys.executable, tmp_path / "worker.py"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [-signal.SIGTERM] * 3
