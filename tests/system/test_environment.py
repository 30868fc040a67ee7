"""Commands where the machine gives them less than usual: no entry in passwd, no home, few open files, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from cluster.token import keep_private
from orchestrator.control.lease import Lease
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import record

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
SWEEP = [sys.executable, "-m", "orchestrator"]
NOBODY = 54321
"""A user of whom the machine knows nothing."""

TRAIN = """
def train(config, trial):
    trial.report(step=1, loss=config["x"])
"""
SPEC = """
name: s
trainable: train.py:train
space: {x: {uniform: [0, 1]}}
objective: {metric: loss}
budget: {trials: 2}
resources: {gpu: 0}
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    small = tmp_path / "results"
    small.mkdir()
    subprocess.run([*ROOT, "mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "sweep-test", str(small)], check=True)
    try:
        yield small
    finally:
        subprocess.run([*ROOT, "umount", "-l", str(small)], check=True)


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run(command, cwd=cwd, env=path, capture_output=True, text=True, timeout=150)


def in_a_sentence(ran: subprocess.CompletedProcess[str], *parts: str) -> None:
    said = ran.stdout + ran.stderr
    assert ran.returncode in (1, 2), said
    assert all(part in said for part in parts), said
    assert "Traceback" not in said
    assert "internal error" not in said


def test_a_user_without_an_entry_in_passwd_and_without_a_home_launches_and_exports(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "s.yaml").write_text(SPEC)
    nobody = ["unshare", "--user", f"--map-user={NOBODY}"]
    assert run(*nobody, "id", "-u", cwd=tmp_path).stdout.strip() == str(NOBODY)
    launched = run(*nobody, *SWEEP, "launch", "s.yaml", "--cpus", "1", cwd=tmp_path)
    assert launched.returncode == 0, launched.stdout + launched.stderr
    assert pd.read_parquet(tmp_path / "results" / "s" / "trials.parquet")["state"].tolist() == ["completed"] * 2
    exported = run(*nobody, *SWEEP, "export", "s", "--to", "mlflow", cwd=tmp_path)
    assert exported.returncode == 0, exported.stdout + exported.stderr
    assert (tmp_path / "s-mlflow" / "mlflow.db").exists()


def test_too_few_open_files_end_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "s.yaml").write_text(SPEC)
    limited = f"ulimit -n 32; exec {' '.join(SWEEP)} launch s.yaml --cpus 1"
    in_a_sentence(run("bash", "-c", limited, cwd=tmp_path, HOME=str(tmp_path)), "32", "ulimit -n")


@pytest.mark.parametrize("request_", [["stop", "made-up"], ["add", "made-up", "--concurrency", "3"]])
def test_requests_on_a_read_only_disk_end_in_a_sentence(disk: Path, tmp_path: Path, request_: list[str]) -> None:
    paths = record(disk, halt_after=5)
    Lease.acquire(paths.lease)
    subprocess.run([*ROOT, "mount", "-o", "remount,ro", str(disk)], check=True)
    in_a_sentence(run(*SWEEP, *request_, cwd=tmp_path, HOME=str(tmp_path)), "Read-only file system")


def test_reports_and_repairs_on_a_full_disk_end_in_a_sentence(disk: Path, tmp_path: Path) -> None:
    paths: SweepPaths = record(disk)
    paths.trials_table.write_bytes(b"PAR1")
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    for words in (["verify", "made-up", "--repair"], ["report", "made-up", "--output", "results/report.html"]):
        in_a_sentence(run(*SWEEP, *words, cwd=tmp_path, HOME=str(tmp_path)))
    assert any("PAR1" in each.read_text() for each in paths.root.glob("*trials.parquet*"))


def test_another_user_does_not_read_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    other = [*ROOT, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "cat"]
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        monkeypatch.setenv("HOME", name)
        file = home / ".ray" / "auth_token"
        file.parent.mkdir(mode=0o755)
        file.write_text("secret")
        file.chmod(0o644)
        assert subprocess.run([*other, str(file)], capture_output=True, text=True).stdout == "secret"
        keep_private()
        refused = subprocess.run([*other, str(file)], capture_output=True, text=True)
        assert "Permission denied" in refused.stderr
        file.parent.chmod(0o755)
        assert "Permission denied" in subprocess.run([*other, str(file)], capture_output=True, text=True).stderr
