"""doctor: what it finds, and that a probe that hangs or fails is a finding."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.gpus.count import Gpus
from orchestrator.cli.views import doctor
from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]


def probes(monkeypatch: pytest.MonkeyPatch, *, gpus: int = 0, names: Sequence[str] = (), ray: bool = True) -> None:
    """Have torch see these GPUs, and Ray start or fail."""
    torch = json.dumps({"gpus": gpus, "names": list(names)})

    def probe(code: str) -> subprocess.CompletedProcess[str]:
        said = torch if code == doctor.TORCH else json.dumps({"start_s": 8.0, "task_s": 1.0})
        if code == doctor.RAY and not ray:
            return subprocess.CompletedProcess([], 1, stdout="", stderr="Traceback\nOSError: no room")
        return subprocess.CompletedProcess([], 0, stdout=f"a word before\n{said}\n", stderr="")

    monkeypatch.setattr(doctor, "_probe", probe)


@pytest.mark.parametrize("needed", [False, True])
def test_a_ray_that_was_not_tested(sweep: Sweep, monkeypatch: pytest.MonkeyPatch, needed: bool) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("ray",))
    monkeypatch.setattr(doctor, "LEAST_MEMORY", 0)
    monkeypatch.setattr(doctor, "LEAST_DISK", 0)
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "2.99.1")
    lacks = json.dumps([{"without": "Ray starts more slowly", "needed": needed}])
    probes(monkeypatch)
    answer = doctor._probe
    monkeypatch.setattr(
        doctor,
        "_probe",
        lambda code: subprocess.CompletedProcess([], 0, lacks, "") if code == doctor.LACKS else answer(code),
    )
    ran = sweep("doctor", "--no-ray")
    lines = ran.out.splitlines()[1:]
    assert lines[0].split(maxsplit=2)[2] == "2.99.1, not tested with sweep (tested: 2.60.x)"
    assert lines[1].strip() == "effect: Ray starts more slowly"
    assert ran.code == int(needed)
    assert ("pip install 'ray[tune]>=2.60,<2.61'" in ran.out) == needed


def test_the_names_that_a_ray_lacks_are_looked_up_in_a_process() -> None:
    assert doctor._answer(doctor._probe(doctor.LACKS)) == []


def test_a_sound_machine(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_MEMORY", 0)
    monkeypatch.setattr(doctor, "LEAST_DISK", 0)
    probes(monkeypatch)
    ran = sweep("doctor")
    assert ran.code == 0, ran.out
    subjects = [row.split()[1] for row in ran.out.splitlines()]
    packages = ["sweep", "ray", "torch", "pyarrow", "pandas", "optuna"]
    assert subjects == ["python", *packages, "cpus", "memory", "gpus", "results", "ray"]
    assert "starts in 8 s" not in sweep("doctor", "--no-ray").out


def test_every_problem_has_a_hint(sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(doctor, "LEAST_MEMORY", 2**60)
    monkeypatch.setattr(doctor, "PACKAGES", ("nothing-of-this-name",))
    probes(monkeypatch, gpus=3, names=["H100"], ray=False)
    ran = sweep("doctor", "--results", "file/results")
    assert ran.code == 1
    lines = ran.out.splitlines()
    problems = [number for number, row in enumerate(lines) if row.startswith("problem")]
    assert [lines[number].split()[1] for number in problems] == [
        "nothing-of-this-name",
        "memory",
        "gpus",
        "results",
        "ray",
    ]
    assert all(lines[number + 1].startswith(" " * 18) for number in problems)
    assert "does not start: OSError: no room" in ran.out


def test_a_probe_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 1)
    assert doctor._probe("import time; time.sleep(60)").stderr == "no answer within 1 second"
    assert doctor._probe("print(7)").stdout == "7\n"


@pytest.mark.parametrize(
    ("counted", "seen", "names", "found", "hint"),
    [
        (Gpus(), 0, [], "NVML counts 0, torch sees 0", ""),
        (Gpus(number=2, accelerator="A100"), 2, ["NVIDIA A100"], "NVML counts 2, torch sees 2 (NVIDIA A100)", ""),
        (Gpus(number=2), 0, [], "NVML counts 2, torch sees 0", "check that torch is built for this driver"),
        (Gpus(number=7, sliced=True), 1, ["H100"], "torch sees 1 (H100): each trial gets one MIG slice", ""),
        (Gpus(failure="Driver/library version mismatch"), 0, [], "version mismatch", "reboot"),
        (Gpus(number=2, by="the kernel", failure="no amdsmi"), 2, [], "the kernel counts 2", "pip install amdsmi"),
    ],
)
def test_gpus(
    monkeypatch: pytest.MonkeyPatch, counted: Gpus, seen: int, names: list[str], found: str, hint: str
) -> None:
    monkeypatch.setattr(doctor, "gpus", lambda: counted)
    probes(monkeypatch, gpus=seen, names=names)
    finding = doctor._gpus()
    assert found in finding.found
    assert hint in finding.hint
    assert bool(hint) == bool(finding.hint)


def test_a_variable_that_ray_refuses_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Gpus:
        raise ClusterError("Ray does not start with these GPUs: …")

    monkeypatch.setattr(doctor, "gpus", refused)
    assert doctor._gpus().hint


def test_the_question_to_torch_can_be_asked() -> None:
    """In the torch that is installed here, whatever that sees."""
    assert doctor._answer(doctor._probe(doctor.TORCH))["gpus"] >= 0
