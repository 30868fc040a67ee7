"""Sweeps in jobs of a real Slurm: time limit, preemption, scancel, waiting; and whether secrets are left anywhere."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.system.slurm import Slurm

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SECRET = "planted-3f9a1c"
STEPS = 10
PROGRAM = """
import json, pathlib, sys, time
from steps import STEPS

settings, out, *resume = map(pathlib.Path, sys.argv[1:])
x = json.loads(settings.read_text())["x"]
done = int(resume[0].read_text()) if resume else 0
print("continues after", done)
for step in range(done + 1, STEPS + 1):
    time.sleep(0.3)
    (out / "state").write_text(str(step))
    print(json.dumps({"step": step, "loss": x / step}))
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    slurm = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


class Login:
    """A directory on a login node, and the commands typed there."""

    def __init__(self, directory: Path, slurm: Slurm) -> None:
        self.directory, self.slurm = directory, slurm
        self._started: list[subprocess.Popen[str]] = []
        (directory / "profiles.yaml").write_text(
            textwrap.dedent(
                """
                mycluster:
                  partition: main
                  time: 2m
                  nodes: 2
                  cpus_per_node: 1
                  gpus_per_node: 1
                  memory: 1GiB
                  env: {GREETING: it's me, OMP_NUM_THREADS: 1}
                  secrets: [WANDB_API_KEY]
                nowhere: {partition: nowhere}
                """
            )
        )
        (directory / "train.py").write_text(
            textwrap.dedent(
                f"""
                import os, time

                def train(config, trial):
                    if "GREETING" in os.environ:
                        assert os.environ["GREETING"] == "it's me"
                        assert os.environ["WANDB_API_KEY"]
                        assert len(os.environ["CUDA_VISIBLE_DEVICES"].split(",")) == 1
                    for step in range(1, {STEPS + 1}):
                        time.sleep(0.3)
                        trial.report(step=step, loss=config["x"] / step)
                """
            )
        )
        (directory / "program.py").write_text(PROGRAM)
        (directory / "steps.py").write_text(f"STEPS = {STEPS}")
        (directory / "template.json").write_text('{"x": {x}}')
        (directory / "program.yaml").write_text(
            textwrap.dedent(
                f"""
                name: s
                extends: s.yaml
                trainable: null
                command: [{sys.executable}, program.py, "{{config.json}}", "{{checkpoint_dir}}", "{{resume}}"]
                resume: "{{checkpoint_dir}}/state"
                template: template.json
                trial: {{save_every: 0.5}}
                """
            )
        )
        (directory / "s.yaml").write_text(
            textwrap.dedent(
                f"""
                name: s
                trainable: train.py:train
                space: {{x: {{uniform: [0, 1]}}}}
                objective: {{metric: loss}}
                search: {{method: random}}
                scheduler: {{method: none, max: {STEPS}}}
                """
            )
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        given = {**self.slurm.environment(), "SWEEP_PROFILES": str(self.directory / "profiles.yaml"), **environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.directory,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        out, _ = process.communicate(timeout=280)
        return process.returncode, out

    def files(self, name: str) -> Path:
        return self.directory / "results" / name / "slurm"

    def job(self, name: str) -> str:
        return (self.files(name) / "job").read_text()

    def rows(self, name: str) -> int:
        try:
            return len(self.read(name, "metrics"))
        except FileNotFoundError:
            return 0

    def read(self, name: str, table: str) -> pd.DataFrame:
        return pd.read_parquet(self.directory / "results" / name / table)


@pytest.fixture
def login(tmp_path: Path, slurm: Slurm) -> Iterator[Login]:
    login = Login(tmp_path, slurm)
    yield login
    login.close()
    slurm.run("scancel", "--user", psutil.Process().username())
    slurm.wait_for(lambda: not slurm.run("squeue", "--noheader"), 60)
    slurm.wait_for(lambda: not _of_ray(tmp_path), 5)  # nothing outlives its job


def _of_ray(directory: Path) -> list[psutil.Process]:
    """Processes of the jobs that were submitted from there, seen by what the jobs export."""
    found = []
    for process in psutil.process_iter(["environ"]):
        token = (process.info["environ"] or {}).get("RAY_AUTH_TOKEN_PATH", "")
        with suppress(psutil.NoSuchProcess):  # those of trials come and go
            if token.startswith(str(directory)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _listening(process: psutil.Process) -> set[str]:
    """The addresses at which it can be reached. srun is Slurm's own affair."""
    with suppress(psutil.NoSuchProcess):
        if process.name() != "srun":
            return {each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN}
    return set()


def test_a_sweep_outlives_its_time_limit(login: Login, slurm: Slurm) -> None:
    launch = login.start("launch", "s.yaml", "--on", "mycluster", "--trials", "60", WANDB_API_KEY=SECRET)
    slurm.wait_for(lambda: login.rows("s"), 120)
    job = login.job("s")
    (token,) = login.files("s").glob("run-*/token")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(login.files("s").stat().st_mode) == 0o700
    planted = token.read_text()
    assert len(planted) == 64

    out, _ = launch.communicate(timeout=280)
    assert launch.returncode == 0, out
    assert "the time limit is near" in out
    assert "2 of 2 nodes" in out
    ended = slurm.job(job)
    assert ended["JobState"] == "COMPLETED"
    assert int(ended["Restarts"]) >= 1

    trials, metrics = login.read("s", "trials.parquet"), login.read("s", "metrics")
    assert list(trials["state"]) == ["completed"] * 60
    assert not metrics.duplicated(["trial", "step"]).any()
    assert (metrics.groupby("trial")["step"].nunique() == STEPS).all()

    assert not list(login.files("s").glob("run-*"))
    assert not (login.files("s") / "job").exists()
    for written in [*login.directory.rglob("*"), *slurm.here.glob("*.log")]:
        if written.is_file():
            assert planted.encode() not in written.read_bytes(), written
            assert SECRET.encode() not in written.read_bytes(), written
    assert planted not in out
    assert SECRET not in out


def test_programs_make_way_for_another_job_and_go_on_from_their_checkpoints(login: Login, slurm: Slurm) -> None:
    code, out = login.run("launch", "program.yaml", "--on", "slurm", "--nodes", "2", "--trials", "6", "--detach")
    assert code == 0, out
    job = login.job("s")
    slurm.wait_for(lambda: login.rows("s"), 120)
    slurm.run("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
    slurm.wait_for(lambda: slurm.job(job)["JobState"] == "COMPLETED", 200)
    assert int(slurm.job(job)["Restarts"]) == 1
    assert list(login.read("s", "trials.parquet")["state"]) == ["completed"] * 6
    assert not login.read("s", "metrics").duplicated(["trial", "step"]).any()
    logs = [log.read_text() for log in (login.directory / "results" / "s" / "logs").glob("*.log")]
    again = [log.partition("attempt 2:\ncontinues after ")[2] for log in logs if "attempt 2:" in log]
    assert again
    assert all(rest.split()[0].isdigit() for rest in again), again  # from 0 if it had only just begun
    code, out = login.run("best", "s", "--checkpoint", "copy")
    assert code == 0, out
    assert (login.directory / "copy" / "state").read_text() == str(STEPS)


def test_scancel_is_a_stop_in_order_and_ctrl_c_leaves_the_job(login: Login, slurm: Slurm) -> None:
    code, out = login.run("launch", "s.yaml", "--on", "slurm", "--name", "beside-it", "--trials", "8", "-d")
    assert code == 0, out
    other = login.job("beside-it")
    launch = login.start("launch", "s.yaml", "--on", "slurm", "--trials", "50")
    slurm.wait_for(lambda: login.rows("s"), 120)
    job = login.job("s")
    heard = {socket for process in _of_ray(login.directory) for socket in _listening(process)}
    assert heard
    assert heard <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}, "a job of one node needs no other machine"
    launch.send_signal(signal.SIGINT)
    out, _ = launch.communicate(timeout=30)
    assert launch.returncode == 130
    assert f"job {job} keeps running" in out
    assert slurm.job(job)["JobState"] == "RUNNING"

    slurm.run("scancel", job)
    slurm.wait_for(lambda: slurm.job(job)["JobState"] == "CANCELLED", 60)
    assert slurm.job(job)["Restarts"] == "0"
    assert "stopped by SIGTERM" in login.run("show", "s")[1]
    trials, metrics = login.read("s", "trials.parquet"), login.read("s", "metrics")
    assert set(trials["state"]) <= {"completed", "cancelled"}
    assert (metrics.groupby("trial")["step"].max() == trials.set_index("trial")["last_step"].dropna()).all()

    code, out = login.run("resume", "s", "--on", "slurm", "--trials", str(len(trials)))
    assert code == 0, out
    assert list(login.read("s", "trials.parquet")["state"]) == ["completed"] * len(trials)

    slurm.wait_for(lambda: slurm.job(other)["JobState"] != "RUNNING", 60)
    assert list(login.read("beside-it", "trials.parquet")["state"]) == ["completed"] * 8


def test_stop_cancels_a_sweep_that_waits(login: Login, slurm: Slurm) -> None:
    slurm.run("sbatch", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 600")
    code, out = login.run("launch", "s.yaml", "--on", "slurm", "-d")
    assert code == 0, out
    assert "sweep stop s" in out
    job = login.job("s")
    slurm.wait_for(lambda: slurm.job(job)["Reason"] in ("Resources", "Priority"), 30)
    assert re.search(r"s +queued +0 ", login.run("ls")[1])
    assert f"job {job} waits: " in login.run("show", "s")[1]
    code, out = login.run("resume", "s", "--on", "slurm")
    assert code == 2
    assert "cancel it with: sweep stop s" in out

    code, out = login.run("stop", "s")
    assert code == 0
    assert f"job {job} of s is cancelled" in out
    assert slurm.job(job)["JobState"] == "CANCELLED"
    assert re.search(r"s +halted +0 ", login.run("ls")[1])


def test_what_slurm_refuses_leaves_nothing(login: Login) -> None:
    code, out = login.run("launch", "s.yaml", "--on", "nowhere")
    assert code == 2
    assert "invalid partition" in out
    code, out = login.run("launch", "s.yaml", "--on", "mycluster")
    assert code == 2
    assert "mycluster needs WANDB_API_KEY" in out
    code, out = login.run("launch", "s.yaml", "--on", "mycluster", "--set", "resources.cpu=2", WANDB_API_KEY=SECRET)
    assert code == 2
    assert "a node of mycluster, has 1 of the 2 CPUs" in out
    assert not list((login.directory / "results").glob("*"))


def test_without_slurm_it_says_so(login: Login, tmp_path: Path) -> None:
    code, out = login.run("launch", "s.yaml", "--on", "slurm", PATH=os.fspath(tmp_path))
    assert code == 2
    assert "Slurm is not installed here: sbatch was not found" in out
