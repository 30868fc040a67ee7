"""Site profiles: where they are found, what they mean, and all their mistakes at once."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from cluster.where import Batch, Existing, Jobs, Local
from orchestrator.errors import InfeasibleError, SpecError, UserError
from orchestrator.sites.placement import free_slots
from orchestrator.sites.profiles import PACKAGES, PROFILES, profiles, site
from orchestrator.spec import parse_spec
from tests.cli.recorded import SPEC


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory without profiles; the file they would stand in."""
    monkeypatch.delenv(PROFILES, raising=False)
    monkeypatch.delenv(PACKAGES, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "sweep").mkdir()
    return tmp_path / "sweep" / "profiles.yaml"


def write(file: Path, text: str) -> None:
    file.write_text(textwrap.dedent(text))


def test_without_a_file_there_are_none(home: Path) -> None:
    assert profiles() == {}
    assert site("local").where == Local()
    assert site("slurm").where == Batch(profile="slurm")
    assert site("slurm").profile.allocation(None).nodes == 1


def test_a_whole_profile(home: Path) -> None:
    write(
        home,
        """
        mycluster:
          partition: gpu
          account: proj
          qos: long
          constraint: nvlink
          time: 1-12:00:00
          nodes: 4
          cpus_per_node: 16
          gpus_per_node: a100:4
          memory: 64GB
          modules: [cuda/12.4]
          container: apptainer exec --nv image.sif
          env: {OMP_NUM_THREADS: 4, GREETING: hello}
          packages: [torchmetrics==1.4, "lightning >= 2"]
          secrets: [WANDB_API_KEY]
        """,
    )
    found = site("mycluster")
    assert found.where == Batch(profile="mycluster")
    asked = found.profile.allocation(None)
    assert (asked.nodes, asked.cpus_per_node, asked.gpus_per_node, asked.memory) == (4, 16, "a100:4", 64 * 10**9)
    assert asked.seconds == 36 * 3600
    assert (asked.partition, asked.account, asked.qos, asked.constraint) == ("gpu", "proj", "long", "nvlink")
    assert found.profile.allocation(2).nodes == 2
    assert found.profile.env == {"OMP_NUM_THREADS": "4", "GREETING": "hello"}


def test_a_profile_of_a_ray_cluster(home: Path) -> None:
    write(
        home,
        """
        lab: {on: "head:6379", env: {A: 1}, packages: [torchmetrics]}
        web: {on: http://head:8265}
        slurm: {partition: gpu}
        """,
    )
    assert site("lab").where == Existing(address="head:6379")
    assert site("lab").profile.runtime_env() == {"pip": ["torchmetrics"], "env_vars": {"A": "1"}}
    assert site("web").where == Jobs(address="http://head:8265")
    assert site("slurm").profile.partition == "gpu"


def test_the_driver_in_a_job_is_told_of_the_packages(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKAGES, "torchmetrics==1.4 'lightning >= 2'")
    assert site("head:6379").profile.runtime_env() == {"pip": ["torchmetrics==1.4", "lightning >= 2"]}


def test_another_file_may_be_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "mine: {}")
    monkeypatch.setenv(PROFILES, str(tmp_path / "ours.yaml"))
    with pytest.raises(UserError, match=r"SWEEP_PROFILES names .*ours.yaml, which does not exist"):
        profiles()
    write(tmp_path / "ours.yaml", "ours: {nodes: 2}")
    assert list(profiles()) == ["ours"]


def test_the_example_of_the_docs_is_sound(home: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()
    (example,) = re.findall(r"```yaml\n(mycluster:.*?)```", page, re.DOTALL)
    home.write_text(example)
    assert set(profiles()) == {"mycluster", "lab"}


def test_what_a_profile_tells_of_its_nodes(home: Path) -> None:
    write(home, "big: {nodes: 2, cpus_per_node: 8, gpus_per_node: a100:4}\nbare: {partition: gpu}")
    wants = {"gpu": 1, "memory": "300GB", "accelerator": "A100", "custom": {"licence": 1}}
    spec = parse_spec({**SPEC, "resources": wants}, base=Path("."))
    assert free_slots(spec, site("big").expected(spec)) == 8
    assert free_slots(spec, site("big").expected(spec, 3)) == 12
    assert site("bare").expected(spec) == []
    with pytest.raises(InfeasibleError, match=r"a node of big, has 8 of the 9 CPUs"):
        free_slots(parse_spec({**SPEC, "resources": {"cpu": 9}}, base=Path(".")), site("big").expected(spec))


def test_an_unknown_word_is_answered_with_the_nearest(home: Path) -> None:
    write(home, "mycluster: {}")
    with pytest.raises(UserError, match=r"did you mean mycluster\? choose local, auto, slurm, mycluster"):
        site("myclutser")


def test_every_mistake_at_once_with_its_line(home: Path) -> None:
    write(
        home,
        """\
        one:
          partiton: gpu
          nodes: 0
          time: 60
          gpus_per_node: 0.5
          env: {HF_TOKEN: abc}
        two: gpu
        three: {on: somewhere, secrets: [A-B], container: "'"}
        local: {}
        four: {on: auto, nodes: 2, modules: [cuda]}
        """,
    )
    with pytest.raises(SpecError) as caught:
        profiles()
    assert [str(mistake).removeprefix(f"{home}:") for mistake in caught.value.mistakes] == [
        "2: one.partiton: unknown key 'partiton' (did you mean 'partition'?)",
        "3: one.nodes: 0 is out of range (at least 1)",
        "4: one.time: 60 has no unit (as in 30m, 4h, 1-12:00:00)",
        "5: one.gpus_per_node: 0.5 is not a number of GPUs (as in 4, or with the type as in a100:4)",
        "6: one.env: HF_TOKEN looks like a secret "
        "(list its name under secrets: the value is taken from your environment at launch)",
        "7: two: 'gpu' is not a profile (keys and values, as in {partition: gpu})",
        "8: three.on: 'somewhere' is not a cluster "
        "(slurm, auto, host:port of a Ray cluster, or http://host:8265 of its Jobs API)",
        '8: three.container: "\'" is not a command: No closing quotation (as in apptainer exec --nv image.sif)',
        "8: three.secrets[0]: 'A-B' is not a valid name of an environment variable (letters, digits and _)",
        "9: local: local is a reserved name (another name)",
        "10: four.modules: modules is for Slurm, and this is on auto (on, env, packages)",
        "10: four.nodes: nodes is for Slurm, and this is on auto (on, env, packages)",
    ]


@pytest.mark.parametrize("text", ["- a\n", "a: [", "words\n"])
def test_what_is_no_yaml_of_profiles(home: Path, text: str) -> None:
    write(home, text)
    with pytest.raises(SpecError, match=str(home)):
        profiles()
