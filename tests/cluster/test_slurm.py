"""The sbatch script, what a node takes from Slurm's environment, and what is read from Slurm's answers."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.node import own_address, shares
from cluster.launchers.slurm import Allocation, Job, JobFiles, script

FILES = JobFiles(Path("/shared/results/churn/slurm"))


def job(**changes: object) -> Job:
    given = {
        "name": "churn",
        "command": ["-m", "orchestrator", "resume", "churn"],
        "files": FILES,
        "directory": Path("/home/me/my code"),
        "allocation": Allocation(),
        **changes,
    }
    return Job(**given)  # type: ignore[arg-type]


def asked(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH --") for line in text.splitlines() if line.startswith("#SBATCH")]


def test_what_is_left_out_is_left_to_the_partition() -> None:
    assert asked(script(job())) == [
        "job-name=churn",
        "nodes=1",
        "ntasks-per-node=1",
        'chdir="/home/me/my code"',
        'output="/shared/results/churn/slurm/output.log"',
        "open-mode=append",
        "requeue",
        "no-kill",
        "signal=B:USR1@120",
    ]


def test_what_is_asked_of_slurm() -> None:
    allocation = Allocation(
        nodes=4,
        cpus_per_node=16,
        gpus_per_node="a100:4",
        memory=64 * 10**9,
        seconds=240.5,
        partition="gpu",
        account="proj-1",
        qos="long",
        constraint="nvlink&ib",
    )
    options = asked(script(job(allocation=allocation)))
    for option in (
        "nodes=4",
        "partition=gpu",
        "account=proj-1",
        "qos=long",
        'constraint="nvlink&ib"',
        "cpus-per-task=16",
        'gres="gpu:a100:4"',
        "mem=61036M",
        "time=5",
        "signal=B:USR1@60",
    ):
        assert option in options


@given(values=st.lists(st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8")), max_size=4))
def test_the_shell_sees_every_word_as_it_was_written(values: list[str]) -> None:
    head = script(job(command=["x", *values], once=values, environment=dict.fromkeys("AB", " ".join(values))))
    head = head.partition("# What follows")[0]
    told = 'printf "%s\\0" "${command[@]}" "$A" ${once[@]+"${once[@]}"}'
    ran = subprocess.run(["bash", "-c", head + told], capture_output=True, check=True)
    words = ran.stdout.decode().split("\0")[:-1]
    assert words == ["x", *values, " ".join(values), *values]


def test_modules_containers_and_the_python_in_them() -> None:
    lines = script(job(modules=["cuda/12.4"], container=["apptainer", "exec", "my image.sif"])).splitlines()
    assert lines[0] == "#!/bin/bash -l"
    assert "module load cuda/12.4 || exit 1" in lines
    assert "python=(apptainer exec 'my image.sif' python3 -P)" in lines


def test_the_script_is_sound_for_bash() -> None:
    subprocess.run(["bash", "-n"], input=script(job()), text=True, check=True)


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({"SLURM_CPUS_ON_NODE": "8"}, ["--num-cpus=8", "--num-gpus=0"]),
        ({"SLURM_CPUS_ON_NODE": "8", "CUDA_VISIBLE_DEVICES": "2,3"}, ["--num-cpus=8", "--num-gpus=2"]),
        (
            {"SLURM_CPUS_ON_NODE": "8", "SLURM_GPUS_ON_NODE": "1", "SLURM_MEM_PER_NODE": "1024"},
            ["--num-cpus=8", "--num-gpus=1", f"--memory={2**30}"],
        ),
        (
            {"SLURM_CPUS_ON_NODE": "2", "SLURM_MEM_PER_CPU": "512"},
            ["--num-cpus=2", "--num-gpus=0", f"--memory={2**30}"],
        ),
    ],
)
def test_ray_is_given_what_slurm_gave(environment: dict[str, str], options: list[str]) -> None:
    assert shares(environment) == options


def test_a_node_whose_name_means_nothing_has_an_address_nevertheless() -> None:
    assert own_address("n1.invalid").count(".") == 3


ANSWER = (
    "JobId=12 JobName=a b JobState={state} Reason={reason} Dependency=(null) Requeue=1 Restarts=0 ExitCode={code} "
    "Command=/a/Reason=x"
)


@pytest.mark.parametrize(
    ("state", "reason", "code", "sentence", "exit_code"),
    [
        ("PENDING", "None", "0:0", "job 12 waits", 0),
        ("PENDING", "Resources", "0:0", "job 12 waits: no nodes are free (Resources)", 0),
        ("PENDING", "QOSMaxJobsPerUserLimit", "0:0", "job 12 waits: QOSMaxJobsPerUserLimit", 0),
        ("RUNNING", "None", "0:0", "job 12 is RUNNING", 0),
        ("FAILED", "NonZeroExitCode", "2:0", "job 12 is FAILED", 2),
        ("NODE_FAIL", "None", "0:9", "job 12 is NODE_FAIL", 137),
    ],
)
def test_how_a_job_stands(state: str, reason: str, code: str, sentence: str, exit_code: int) -> None:
    standing = queue.read("12", ANSWER.format(state=state, reason=reason, code=code))
    assert standing.sentence() == sentence
    assert standing.exit_code == exit_code
    assert standing.waits == (state == "PENDING")
    assert standing.ended == (state in ("FAILED", "NODE_FAIL"))


def test_what_slurm_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    said = "sbatch: error: Batch job submission failed:\\nsbatch: error: no such account"
    (tmp_path / "sbatch").write_text(f"#!/bin/sh\nprintf {shlex.quote(said)} >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    with pytest.raises(ClusterError, match=r"^Slurm refused: Batch job submission failed: no such account$"):
        queue.submit(tmp_path / "job.sh", tmp_path / "job")
    assert not (tmp_path / "job").exists()
