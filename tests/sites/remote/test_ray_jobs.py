"""`--on http://…` against a real cluster: sent, left alone, listed, shown, stopped, fetched, resumed.

The laptop and the cluster are one machine here. So that they share no disk, its directory of sweeps is hidden from
the laptop by one replaced function; where that is not done, both see it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray._private.authentication_test_utils import reset_auth_token_state

from cluster.errors import ClusterError, UnreachableError
from cluster.jobs import Jobs
from orchestrator.cli.app import main
from orchestrator.records import remote_record
from orchestrator.records.load import load
from orchestrator.records.paths import SweepPaths
from orchestrator.records.remote_record import read_remote
from tests.sites.remote.head import TOKEN, Head, head

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning"),  # Ray 2.60 writes so
]

PASSWORD = "planted-password"
TRAIN = """
import time
from helper import loss

def train(config, trial):
    print("training with", config["lr"], flush=True)
    for step in range(1, 6):
        time.sleep(config["pause"])
        trial.report(step=step, loss=loss(config["lr"], step))
"""
SPEC = """
name: quick
trainable: train.py:train
fixed: {pause: 0.01}
space: {lr: {uniform: [0, 1]}}
objective: {metric: loss, mode: min}
search: {method: random, seed: 1}
scheduler: {method: none}
budget: {trials: 3}
resources: {cpu: 1, gpu: 0}
"""
PROGRAM = """
import json, pathlib, sys
from helper import loss

pathlib.Path("conf/data.txt").read_text()  # relative to the spec
settings, out = map(pathlib.Path, sys.argv[1:])
lr = float(settings.read_text().removeprefix("optimizer: {lr: ").removesuffix("}"))
for step in range(1, 6):
    (out / "state").write_text(str(step))
    print(json.dumps({"step": step, "loss": loss(lr, step)}))
"""
COMMAND = f"""
name: command
command: [{sys.executable}, program.py, "{{config.yaml}}", "{{checkpoint_dir}}"]
template: conf/base.yaml
"""


@pytest.fixture(scope="module")
def there() -> Iterator[Head]:
    """A cluster; its token is ours."""
    with tempfile.TemporaryDirectory(prefix="head-", dir="/tmp") as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", TOKEN)
        patch.setenv("RAY_AUTH_MODE", "token")
        reset_auth_token_state()  # a test before may have made Ray look in this process
        with head(Path(scratch)) as started:
            yield started
    reset_auth_token_state()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project under git, and a spec in a folder of it."""
    root = tmp_path_factory.mktemp("project")
    folder = root / "study"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "helper.py").write_text("def loss(lr, step):\n    return (lr - 0.3) ** 2 + 1 / step\n")
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "conf").mkdir()
    (folder / "conf" / "base.yaml").write_text("optimizer: {lr: {lr}}")
    (folder / "conf" / "data.txt").write_text("data")
    (folder / "program.py").write_text(PROGRAM)
    (folder / "command.yaml").write_text(COMMAND + SPEC.partition("fixed: {pause: 0.01}")[2])
    (root / ".gitignore").write_text("results/\n*.log\n")
    (root / ".env").write_text(f"API_KEY={PASSWORD}\n")
    (root / "noise.log").write_text("ignored")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "study", ".gitignore"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", root, *words], check=True)
    (folder / "helper.py").write_text("def loss(lr, step):\n    return (lr - 0.3) ** 2 + 2 / step  # changed\n")
    return folder


@pytest.fixture
def laptop(project: Path, there: Head, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project is the working directory; commands mean the cluster."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("SWEEP_ON", there.address)
    monkeypatch.setenv("SWEEP_RESULTS", str(project.parent / "results"))
    return project.parent / "results"


@pytest.fixture
def far(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The laptop does not see the cluster's disk."""
    monkeypatch.setattr(remote_record, "_is_that", lambda directory, remote: False)
    return laptop


def sent(name: str, *more: str) -> int:
    return main(["launch", "spec.yaml", "--name", name, "-d", *more])


def test_a_sweep_is_sent_left_alone_and_read_later(
    far: Path, there: Head, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent("alone") == 0
    said = capfd.readouterr().err
    assert "8 files" in said
    assert "study/helper.py" in said
    assert "excluded (may contain secrets): .env" in said
    assert f"recorded in {there.home}/sweeps/alone" in said

    monkeypatch.chdir("/")  # another day, another terminal
    monkeypatch.delenv("SWEEP_ON")
    assert main(["logs", "alone", "-f"]) == 0  # waits for its end
    assert "3 trials: 3 completed" in capfd.readouterr().out
    assert main(["ls"]) == 0
    listed = capfd.readouterr().out
    assert "remote" in listed
    assert f"{there.home}/sweeps/alone on {there.address}, SUCCEEDED" in listed
    assert main(["show", "alone"]) == 0  # fetches what it shows
    assert "3 trials: 3 completed" in capfd.readouterr().out
    assert main(["logs", "alone", "0"]) == 0
    assert capfd.readouterr().out.startswith("training with ")

    sweep = load(far / "alone")
    assert list(sweep.trials["state"]) == ["completed"] * 3
    assert sweep.info.directory.endswith("/study")  # as it is here
    assert sweep.info.git is not None
    assert "# changed" in sweep.info.git.diff
    kept = read_remote(SweepPaths(far / "alone"))
    assert kept is not None
    assert sweep.info.snapshot == kept.snapshot
    assert sweep.info.snapshot.startswith("sha256 ")
    assert sweep.info.jobs == list(kept.jobs)
    original = there.home / "sweeps" / "alone"
    for path in ("trials.parquet", "metrics/000000.parquet", "sweep.json", "logs/0.log"):
        assert (far / "alone" / path).read_bytes() == (original / path).read_bytes()


def test_a_program_is_sent_with_its_modules_its_template_and_its_data(
    far: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["launch", "command.yaml"]) == 0, capfd.readouterr()
    assert "3 trials: 3 completed" in capfd.readouterr().out
    assert main(["best", "command", "--checkpoint", str(far / "copy")]) == 2
    assert "To fetch them: sweep pull command --checkpoints" in capfd.readouterr().err
    assert main(["pull", "command", "--checkpoints"]) == 0
    assert main(["best", "command", "--checkpoint", str(far / "copy")]) == 0
    assert (far / "copy" / "state").read_text() == "5"


def test_two_at_once_do_not_mix_and_each_can_be_stopped_fetched_and_resumed(
    far: Path, there: Head, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sent("long", "--set", "fixed.pause=0.3", "--trials", "40", "--concurrency", "1") == 0
    assert sent("short", "--concurrency", "1") == 0
    assert main(["logs", "short", "-f"]) == 0
    assert main(["pull", "long"]) == 0  # while it runs
    assert "it is still running" in capfd.readouterr().err
    assert main(["add", "long", "--config", "{lr: 0.125}"]) == 0
    assert main(["stop", "long"]) == 0
    assert "long has ended" in capfd.readouterr().out
    assert main(["show", "long"]) == 0
    assert "halted" in capfd.readouterr().out
    long, short = load(far / "long").trials, load(there.home / "sweeps" / "short").trials
    assert 0.125 in set(long["config.lr"])
    assert set(long["state"]) <= {"completed", "cancelled"}
    assert list(short["state"]) == ["completed"] * 3

    done = int((long["state"] == "completed").sum())
    assert main(["resume", "long", "--trials", str(len(long))]) == 0
    again = load(there.home / "sweeps" / "long")
    assert int((again.trials["state"] == "completed").sum()) > done
    assert len(again.info.jobs) == 2


def test_a_disk_that_both_see_is_read_without_fetching_also_under_another_name(
    laptop: Path, there: Head, capfd: pytest.CaptureFixture[str]
) -> None:
    (there.home / "sweeps" / "taken").mkdir(parents=True)
    assert main(["launch", "spec.yaml", "--name", "taken", "--trials", "1"]) == 0  # followed to its end
    kept = read_remote(SweepPaths(laptop / "taken"))
    assert kept is not None
    assert kept.directory == str(there.home / "sweeps" / "taken-2")
    assert main(["show", "taken"]) == 0
    assert "taken-2  finished" in capfd.readouterr().out
    assert os.listdir(laptop / "taken") == ["remote.json"]


def test_what_cannot_begin_there_leaves_nothing_here(laptop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert sent("greedy", "--set", "resources.cpu=64") == 2
    said = capfd.readouterr().err
    assert "no node has room" in said
    assert "the job ended before the sweep started" in said
    assert not (laptop / "greedy").exists()


def test_mistakes_are_found_before_anything_is_sent(laptop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert sent("wrong", "--set", "search.method=guess") == 2
    assert sent("wrong", "--cluster-results", "sweeps") == 2
    assert "must start with / or ~/" in capfd.readouterr().err
    assert sent("wrong", "--cpus", "2") == 2
    assert sent("wrong", "--on", f"http://user:{PASSWORD}@127.0.0.1:8265") == 2
    said = capfd.readouterr().err
    assert "must not contain a user name or password" in said
    assert PASSWORD not in said
    assert not (laptop / "wrong").exists()


def test_who_is_not_reached_or_not_let_in_is_told_in_a_sentence(there: Head) -> None:
    with pytest.raises(UnreachableError, match=r"nothing answers at http://127\.0\.0\.1:9"):
        Jobs.reach("http://127.0.0.1:9")
    for token, why in ((None, "it requires a token"), ("wrong-" + TOKEN, "it does not accept our token")):
        environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_TOKEN"}
        environment |= {"HOME": "/nowhere"} | ({"RAY_AUTH_TOKEN": token} if token else {})
        script = f"from cluster.jobs import Jobs\nJobs.reach({there.address!r})"
        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert f"ClusterError: the cluster at {there.address} refused access: {why}" in run.stderr
        assert TOKEN not in run.stderr


def test_a_cluster_that_is_too_old_is_refused(there: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.jobs.OLDEST", (99, 0))
    with pytest.raises(ClusterError, match=r"runs Ray 2\.\d+\.\d+; 99\.0 or newer is required"):
        Jobs.reach(there.address)


def test_a_lost_job_is_told(there: Head) -> None:
    assert Jobs.reach(there.address).status("sweep-never-was").word == "LOST"


def test_no_secret_is_written_or_sent(laptop: Path, there: Head) -> None:
    """The token and the password of .env stand in no file of the sweeps, here or there; also of those sent before."""
    assert sent("secrets") == 0
    places = [laptop, there.home / "sweeps", *there.logs.glob("session_*/runtime_resources")]
    written = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.name == "train.py" for path in written)
    for path in written:
        content = path.read_bytes()
        assert TOKEN.encode() not in content, path
        assert PASSWORD.encode() not in content, path
    for path in there.logs.glob("session_*/logs/job-driver-*"):
        assert TOKEN.encode() not in path.read_bytes()
