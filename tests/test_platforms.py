"""That a sweep runs without what Linux has and macOS has not, tried on Linux with that taken away.

The type stubs of the standard library and of psutil say which names macOS lacks. `make check` runs mypy a second time,
for macOS, which finds every such name that is not behind a `hasattr`. The paths that only Linux has are listed here.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]

LINUX_ONLY = ("/proc", "/sys/", "/dev/shm", "/dev/kfd", "/dev/nvidia", "/run/", "/etc/os-release")

GUARDED = {
    "orchestrator/control/lease.py",  # takes the host's name where there is no /proc
    "orchestrator/cli/views/doctor.py",  # asks first whether there is a /dev/shm
    "cluster/local/start_failure.py",  # passes over what is not there
    "cluster/gpus/amd.py",  # lists a directory, and none has no entries,
    "trainables/process/linux.py",  # asks psutil where there is no such file
    "orchestrator/worker/fork/readiness.py",  # after a look at sys.platform
}

TAKEN_AWAY = """
import os, pathlib
import psutil

for name in ("sched_getaffinity", "sched_setaffinity", "waitid", "pidfd_open", "posix_fadvise", "memfd_create"):
    if hasattr(os, name):
        delattr(os, name)
if hasattr(os, "process_cpu_count"):  # Python 3.13 and later, in terms of sched_getaffinity
    os.process_cpu_count = os.cpu_count
del psutil.Process.cpu_affinity

def hidden(path):
    return str(path).startswith(("/proc", "/sys"))

def without(theirs):
    def ours(path, *arguments, **options):
        if hidden(path):
            raise FileNotFoundError(2, "no such file on this system", str(path))
        return theirs(path, *arguments, **options)
    return ours

for name in ("read_text", "read_bytes", "readlink", "open"):
    setattr(pathlib.Path, name, without(getattr(pathlib.Path, name)))  # psutil and Ray read /proc by other ways
"""

SPEC = """
name: elsewhere
trainable: train.py:train
space: {x: {uniform: [0, 1]}}
objective: {metric: loss, mode: min}
search: {method: random, seed: 0}
scheduler: {method: none}
budget: {trials: 3}
resources: {cpu: 1, gpu: 0}
"""

TRAIN = """
import os

def train(config, trial):
    assert not hasattr(os, "waitid") and not hasattr(os, "sched_getaffinity"), "not taken away in workers"
    trial.report(step=1, loss=config["x"])
"""


@pytest.fixture
def macos(tmp_path: Path) -> dict[str, str]:
    """The environment of a process, and of all that it starts, in which that is taken away."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(TAKEN_AWAY)
    (tmp_path / "sweep.yaml").write_text(SPEC)
    (tmp_path / "train.py").write_text(TRAIN)
    path = os.pathsep.join([str(tmp_path / "site"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "80"}


def test_a_sweep_from_plan_to_show(macos: dict[str, str], tmp_path: Path) -> None:
    said = {}
    for command in (
        "check sweep.yaml",
        "plan sweep.yaml",
        "launch sweep.yaml --cpus 2",
        "show elsewhere",
        "doctor --no-ray",
    ):
        arguments = [sys.executable, "-m", "orchestrator", *command.split()]
        ran = subprocess.run(
            arguments, cwd=tmp_path, env=macos, capture_output=True, text=True, timeout=200, check=False
        )
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        said[command.split()[0]] = ran.stdout
    assert "3 completed" in said["show"]


def test_paths_of_linux_are_in_guarded_places_only() -> None:
    found = set()
    for package in ("orchestrator", "cluster", "trainables"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(LINUX_ONLY):
                    found.add(str(file.relative_to(ROOT)))
    assert found == GUARDED
