"""`sweep doctor`: checks of this machine. Checks that can hang or crash run in a process with a time limit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from cluster.errors import ClusterError
from cluster.gpus.count import Gpus, gpus
from cluster.inventory import this_machine
from cluster.local.start_failure import RayStartError
from cluster.ray_private.versions import REQUIREMENT, SUPPORTED, was_tested
from orchestrator.cli.formats import painted, say
from orchestrator.formatting import count

PACKAGES = ("sweep-orchestrator", "ray", "torch", "pyarrow", "pandas", "optuna")
LEAST_MEMORY = LEAST_DISK = 2 * 2**30
PROBE_SECONDS = 90

TORCH = """
import json, torch
n = torch.cuda.device_count()
names = sorted({torch.cuda.get_device_name(i) for i in range(n)})
print(json.dumps({"gpus": n or int(torch.backends.mps.is_available()), "names": names}))
"""
LACKS = """
import json, orchestrator
from cluster.ray_private.names import FAMILIES
lacking = [family for family in FAMILIES if family.find() is None]
print(json.dumps([{"without": family.without, "needed": family.needed} for family in lacking]))
"""
RAY = """
import json, time, orchestrator
from cluster.local.embedded import embedded
began = time.monotonic()
with embedded(cpus=1, gpus=0):
    import ray
    started = time.monotonic()
    ray.get(ray.remote(lambda: time.sleep(1)).remote())
    print(json.dumps({"start_s": started - began, "task_s": time.monotonic() - started}))
"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check."""

    subject: str
    found: str
    hint: str = ""  # what to do; "" if there is no problem
    numbers: Mapping[str, Any] = field(default_factory=dict)  # what was found, as data

    def __str__(self) -> str:
        mark = painted("problem", "red") if self.hint else painted("ok     ", "green")
        return f"{mark}  {self.subject:<8} {self.found}" + (f"\n{'':18}{self.hint}" if self.hint else "")

    def data(self) -> dict[str, Any]:
        """The finding as data."""
        return {
            "subject": self.subject,
            "ok": not self.hint,
            "found": self.found,
            "hint": self.hint or None,
            "numbers": dict(self.numbers),
        }


def examine(results: Path, *, start_ray: bool) -> Iterator[Finding]:
    """Run the checks, one after the other."""
    yield Finding(subject="python", found=f"{sys.version.split()[0]}, {sys.executable}")
    yield from map(_package, PACKAGES)
    yield from _hardware()
    yield _disk(results)
    if start_ray:
        say("starting Ray …")
        yield _ray()


def _package(name: str) -> Finding:
    subject = name.removesuffix("-orchestrator")
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(subject=subject, found="not installed", hint=f"pip install {name}")
    if name == "ray" and not was_tested(version):
        return _untested_ray(version)
    return Finding(subject=subject, found=version)


def _untested_ray(version: str) -> Finding:
    """What a Ray can do that this package was not tested with: it may lack names that Ray does not promise to keep."""
    found = f"{version}, not tested with sweep (tested: {SUPPORTED})"
    remedy = f"pip install '{REQUIREMENT}'"
    probe = _probe(LACKS)
    if probe.returncode:
        return Finding(subject="ray", found=f"{found}; does not import: {_last_line(probe.stderr)}", hint=remedy)
    lacks = _answer(probe)
    effects = [f"\n{'':18}effect: {each['without']}" for each in lacks]
    numbers = {"tested": False, "effects": [each["without"] for each in lacks]}
    hint = remedy if any(each["needed"] for each in lacks) else ""
    return Finding(subject="ray", found=found + "".join(effects), hint=hint, numbers=numbers)


def _hardware() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    cpus = this_machine(gpus=0).cpus
    yield Finding(subject="cpus", found=f"{cpus:g} for this process", numbers={"cpus": cpus})
    free = f"{_gib(memory.available)} free of {_gib(memory.total)}"
    low = memory.available < LEAST_MEMORY
    hint = "Ray and one worker take about 1 GiB before any model; close other programs" if low else ""
    numbers = {"free_bytes": memory.available, "total_bytes": memory.total}
    yield Finding(subject="memory", found=free, hint=hint, numbers=numbers)
    yield _gpus()


def _gpus() -> Finding:
    """Compare what Ray will be started with to what torch sees: trials get the one and train on the other."""
    try:
        counted = gpus()
    except ClusterError as error:
        return Finding(subject="gpus", found=str(error), hint="change that variable, or unset it")
    probe = _probe(TORCH)
    if probe.returncode:
        return Finding(
            subject="gpus", found=f"torch does not import: {_last_line(probe.stderr)}", hint="reinstall torch"
        )
    torch = _answer(probe)
    names = ", ".join(torch["names"])
    found = f"{counted.by} counts {counted.number}, torch sees {torch['gpus']}" + (f" ({names})" if names else "")
    numbers = {"counted": counted.number, "by": counted.by, "torch": torch["gpus"], "names": torch["names"]}
    if counted.failure:
        return Finding(subject="gpus", found=f"{found}; {counted.failure}", hint=_remedy(counted), numbers=numbers)
    if counted.sliced:
        return Finding(subject="gpus", found=f"{found}: each trial gets one MIG slice", numbers=numbers)
    hint = ""
    if counted.number != torch["gpus"]:
        hint = "check that torch is built for this driver (nvidia-smi, torch.version.cuda), and CUDA_VISIBLE_DEVICES"
    return Finding(subject="gpus", found=found, hint=hint, numbers=numbers)


def _remedy(counted: Gpus) -> str:
    if counted.by != "NVML":
        return "pip install amdsmi, in the version of your ROCm"
    return "run nvidia-smi; if it fails too, reboot: the driver was upgraded and its old version is still loaded"


def _disk(results: Path) -> Finding:
    place = results.absolute()
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(
            subject="results",
            found=f"cannot write to {place}: {error.strerror}",
            hint="choose another directory with --results, or SWEEP_RESULTS",
        )
    hint = "free disk space, or choose another directory with --results" if free < LEAST_DISK else ""
    found = f"{results}: {_gib(free)} free"
    return Finding(subject="results", found=found, hint=hint, numbers={"free_bytes": free})


def _ray() -> Finding:
    probe = _probe(RAY)
    if not probe.returncode:
        took = _answer(probe)
        found = f"starts in {took['start_s']:.0f} s; a task of 1 s took {took['task_s']:.0f} s"
        return Finding(subject="ray", found=found, numbers=took)
    shm = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else 0
    last = _last_line(probe.stderr)
    found = last.partition(f"{RayStartError.__name__}: ")[2] or f"does not start: {last}"
    return Finding(subject="ray", found=found, hint=f"/dev/shm has {_gib(shm)} free, Ray wants a third of the memory")


def _probe(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code by itself; without the working directory on its path, which may hold anything."""
    command = [sys.executable, "-P", "-c", code]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        silence = f"no answer within {count(PROBE_SECONDS, 'second')}"
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=silence)


def _answer(probe: subprocess.CompletedProcess[str]) -> Any:
    """What a probe printed last: JSON on a line. Libraries may print before it."""
    return json.loads(_last_line(probe.stdout))


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "without an error message"


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
