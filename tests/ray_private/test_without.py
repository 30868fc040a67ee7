"""A sweep of three trials without the private names of Ray: it finishes, or says in one sentence which Ray it needs.

One of its trials loses its process at the first attempt, so that failures and retries pass the border, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray

from cluster.ray_private import names
from cluster.ray_private.cluster_state import free_resources
from cluster.ray_private.daemons import start_command
from cluster.ray_private.jobs_client import server_version
from cluster.ray_private.names import FAMILIES, Family, MissingNameError
from cluster.ray_private.versions import REQUIREMENT
from orchestrator.own_packages import ROOT
from orchestrator.records.load import load
from tests.cluster.started import BIN, Started, started

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

TRAIN = """
import os

def train(config, trial):
    tried = trial.directory / "tried"
    if config["x"] == 2 and not tried.exists():
        tried.touch()
        os._exit(1)
    trial.report(step=1, loss=config["x"])

def for_ray_tune(config):
    from ray import tune
    tune.report({"loss": config["x"]})
"""
SPEC = """
name: three
trainable: train.py:train
space: {x: {grid: [1, 2, 3]}}
search: {method: grid}
objective: {metric: loss}
resources: {gpu: 0, placement: pack}
trial: {retries: 1}
"""

OPTIONAL = [family for family in FAMILIES if not family.needed]
NEEDED = [family for family in FAMILIES if family.needed]
JOINING = [names.ASKING_A_HEAD, names.TOKEN]
TRAINERS = [names.TRAINER_REPORTS, names.TRAINER_CLEANERS, names.TRAINER_PATH, names.TRAINER_GROUPS]
ELSEWHERE = [names.SERVER_VERSION, names.START_COMMAND, *TRAINERS]  # below and in test_trainers.py, without a sweep
OVERRIDDEN = [  # as if Ray no longer called what we override
    "cluster.ray_private.placement_request:PlacementRequest.to_placement_group",
]
ONE_BY_ONE = [family for family in OPTIONAL if family not in (*JOINING, *ELSEWHERE, names.PLACEMENT)]
REALLY = [  # those without which Ray itself runs a sweep
    "ray._private.state:state.get_draining_nodes",
    "ray._private.state:state.available_resources_per_node",
    "ray._private.state:state.actor_table",
]


def key(family: Family) -> str:
    return next(name for name, value in vars(names).items() if value is family)


def everything(families: Sequence[Family]) -> list[str]:
    return [name for family in families for name in family.names]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "three.yaml").write_text(SPEC)
    return tmp_path


def launch(
    project: Path,
    *options: str,
    on: Sequence[str] = ("--cpus", "1"),  # one process, and one after it has died
    hidden: Sequence[str] = (),
    deleted: Sequence[str] = (),
    not_called: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`sweep launch` in a project, without these names."""
    environment = (env or dict(os.environ)) | {
        "PYTHONPATH": f"{Path(__file__).parent / 'hidden'}{os.pathsep}{ROOT}",
        "SWEEP_TEST_HIDDEN": json.dumps([*hidden]),
        "SWEEP_TEST_DELETED": json.dumps([*deleted]),
        "SWEEP_TEST_NOT_CALLED": json.dumps([*not_called]),
    }
    return subprocess.run(
        [sys.executable, str(BIN / "sweep"), "launch", "three.yaml", *on, *options],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def finished(ran: subprocess.CompletedProcess[str], project: Path) -> None:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    sweep = load(project / "results" / "three")
    assert sweep.trials.sort_values("trial")["state"].tolist() == ["completed"] * 3, sweep.trials["reason"].tolist()
    assert sweep.trials.sort_values("trial")["attempts"].tolist() == [1, 2, 1]
    assert "Traceback" not in ran.stderr


def refused(ran: subprocess.CompletedProcess[str], family: Family) -> None:
    assert ran.returncode == 2, ran.stdout + ran.stderr
    (sentence,) = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert sentence.startswith("error: Ray ")
    assert f"is installed, which does not allow {family.purpose}" in sentence
    assert sentence.endswith(f"supported is Ray 2.60.x: pip install '{REQUIREMENT}'")
    assert "Traceback" not in ran.stderr


def test_without_every_name_that_is_not_needed(project: Path) -> None:
    finished(launch(project, hidden=everything(OPTIONAL), not_called=OVERRIDDEN), project)


def test_without_what_keeps_failed_trials_from_running_again(project: Path) -> None:
    refused(launch(project, hidden=names.STOPPING_TRIALS.names), names.STOPPING_TRIALS)


def test_without_the_session_of_ray_tune_functions(project: Path) -> None:
    ran = launch(project, "--set", "trainable=train.py:for_ray_tune", hidden=names.FUNCTION_SESSION.names)
    refused(ran, names.FUNCTION_SESSION)
    assert not (project / "results").exists()


def test_without_what_finds_the_cluster_of_this_machine(project: Path) -> None:
    ran = launch(project, on=("--on", "auto"), hidden=names.CLUSTER_OF_THIS_MACHINE.names)
    refused(ran, names.CLUSTER_OF_THIS_MACHINE)
    assert not (project / "results").exists()


def test_each_needed_family_is_tried() -> None:
    assert NEEDED == [names.CLUSTER_OF_THIS_MACHINE, names.STOPPING_TRIALS, names.FUNCTION_SESSION]


@pytest.mark.parametrize("name", everything(FAMILIES))
def test_each_name_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (family,) = [family for family in FAMILIES if name in family.names]
    assert family.find() is not None
    hide([name], monkeypatch)
    assert family.find() is None


def hide(hidden: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have lookups in this process not find these names."""
    find = names.find

    def find_what_is_left(name: str) -> object:
        if name in hidden:
            raise MissingNameError(name)
        return find(name)

    monkeypatch.setattr(names, "find", find_what_is_left)


def test_without_the_module_of_ray_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start_command() == [sys.executable, "-m", "ray.scripts.scripts", "start"]
    hide(names.START_COMMAND.names, monkeypatch)
    command = start_command()
    assert command == [str(BIN / "ray"), "start"]
    subprocess.run([*command, "--help"], check=True, capture_output=True, timeout=60)


def test_without_the_version_of_a_jobs_server(monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(_server_ray_version="2.1.0")
    assert server_version(client) == "2.1.0"
    assert server_version(SimpleNamespace()) == ""
    hide(names.SERVER_VERSION.names, monkeypatch)
    assert server_version(client) == ""


def test_without_free_resources_a_cluster_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"NodeID": name, "Alive": name != "gone", "Resources": {"CPU": 4.0}} for name in ("a", "b", "gone")]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    hide(names.FREE_RESOURCES.names, monkeypatch)
    assert free_resources() == {"a": {"CPU": 4.0}, "b": {"CPU": 4.0}}


@pytest.mark.parametrize(
    "name", ["ray._gone:x", "ray:gone", "ray._private.node:Node.gone", "ray:init(_gone)", "ray:wait(_gone)"]
)
def test_what_ray_does_not_have_is_not_found(name: str) -> None:
    with pytest.raises(MissingNameError):
        names.find(name)


@pytest.mark.parametrize("family", ONE_BY_ONE, ids=key)
def test_without_one_family(project: Path, family: Family) -> None:
    finished(launch(project, hidden=family.names), project)


@pytest.mark.parametrize("method", OVERRIDDEN)
def test_where_ray_no_longer_calls_what_is_overridden(project: Path, method: str) -> None:
    finished(launch(project, not_called=[method]), project)


@pytest.mark.parametrize("name", REALLY)
def test_really_without_a_name(project: Path, name: str) -> None:
    finished(launch(project, deleted=[name]), project)


def test_really_without_what_keeps_failed_trials_from_running_again(project: Path) -> None:
    refused(launch(project, deleted=names.STOPPING_TRIALS.names), names.STOPPING_TRIALS)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Started]:
    with started() as found:
        yield found


@pytest.mark.parametrize("family", JOINING, ids=key)
def test_without_one_family_on_a_cluster(project: Path, cluster: Started, family: Family) -> None:
    on = ("--on", cluster.address)
    mode = {"RAY_AUTH_MODE": "token"}  # as Family.without says of a Ray that cannot be asked
    finished(launch(project, on=on, hidden=family.names, env=cluster.env | mode), project)
