"""A Ray that does not start says why, and where its logs are."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.local.start_failure import LEAST_FILES, RayStartError, explained

LIMITS = {resource.RLIMIT_NOFILE: 4096, resource.RLIMIT_AS: resource.RLIM_INFINITY}


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """The limits of this process, which a test may change without suffering from them."""
    found = dict(LIMITS)
    monkeypatch.setattr(resource, "getrlimit", lambda what: (found[what], found[what]))
    return found


def test_what_ray_says_the_likely_causes_and_the_logs_are_one_sentence(limits: dict[int, int], tmp_path: Path) -> None:
    limits[resource.RLIMIT_NOFILE] = 100
    limits[resource.RLIMIT_AS] = 5 * 10**9
    logs = tmp_path / "ray" / "session_1" / "logs"
    logs.mkdir(parents=True)
    with pytest.raises(RayStartError) as refused, explained(tmp_path):
        raise RuntimeError("timed out\nwaiting for a file.")
    assert str(refused.value) == (
        "Ray does not start: timed out waiting for a file; likely because a process may have 100 files open only"
        f" (ulimit -n) and a process may have 5 GB of memory only (ulimit -v); its logs are in {logs}"
    )


def test_an_error_without_text_has_its_name(limits: dict[int, int], tmp_path: Path) -> None:
    with pytest.raises(RayStartError, match="does not start: MemoryError; its logs"), explained(tmp_path):
        raise MemoryError


def test_a_full_disk_is_named(limits: dict[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 3_000_000}))
    with pytest.raises(RayStartError, match=f"likely because {tmp_path} has 3 MB free only"), explained(tmp_path):
        raise OSError(28, "No space left on device")


def test_too_few_open_files_are_refused_before_ray_waits() -> None:
    script = "from cluster.local.embedded import embedded\nwith embedded(cpus=1): pass"
    command = ["sh", "-c", f'ulimit -n {LEAST_FILES - 1}; exec "$0" -c "$1"', sys.executable, script]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    last = run.stderr.splitlines()[-1]
    assert last.endswith(
        "Ray cannot start: a process may have 63 files open only (ulimit -n); raise that with: ulimit -n 1024"
    )


def test_an_interruption_is_none(limits: dict[int, int], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), explained(tmp_path):
        raise KeyboardInterrupt
