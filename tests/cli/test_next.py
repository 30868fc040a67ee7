"""`sweep next` on recorded sweeps: the file is new, passes the check, and means the same wherever it lies."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.commands import next as next_
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import Limits, read_sweep_json, write_sweep_json
from orchestrator.sites.describe import limits_of
from orchestrator.spec import read_spec
from tests.analysis.report.made import made
from tests.cli.conftest import Ran
from tests.cli.recorded import record
from trainables.declaration import Declaration, Hyperparameter

Sweep = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
TRAIN = "def train(config, trial): pass\n"


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    """The real sweep with its examples beside it, as if it had been launched here; the directory of the spec."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "results" / "churn-example", tmp_path / "results" / "churn")
    launched_in(SweepPaths(tmp_path / "results" / "churn"), tmp_path / "examples", name="churn")
    return tmp_path / "examples"


def launched_in(paths: SweepPaths, directory: Path, **changes: Any) -> None:
    info = dataclasses.replace(read_sweep_json(paths.info), directory=str(directory), **changes)
    write_sweep_json(paths.info, info)


def test_it_is_written_beside_the_spec_and_passes_the_check(sweep: Sweep, churn: Path) -> None:
    ran = sweep("next")
    assert (ran.code, ran.out) == (0, "examples/churn-next.yaml\n")
    assert re.match(r"(space|fixed)\.\w+: ", ran.err)
    assert (
        ran.err.splitlines()[-1] == "next: sweep plan examples/churn-next.yaml; sweep launch examples/churn-next.yaml"
    )
    assert sweep("check", "examples/churn-next.yaml").code == 0
    text = (churn / "churn-next.yaml").read_text()
    assert "name: churn-next\nparent: churn\ntrainable: tabular\n" in text
    assert "  data: data/telco_churn.csv         # relative to this file\n" in text
    assert 'constraints:\n  - "layers * width <= 512"\n# The best of 60' in text
    assert read_spec(churn / "churn-next.yaml").budget.trials == 60


def test_nothing_is_overwritten(sweep: Sweep, churn: Path) -> None:
    (churn / "churn-next.yaml").write_text("mine")
    (churn.parent / "results" / "churn-next-2").mkdir()
    assert sweep("next").out == "examples/churn-next-3.yaml\n"
    assert "name: churn-next-3\n" in (churn / "churn-next-3.yaml").read_text()
    assert (churn / "churn-next.yaml").read_text() == "mine"
    ran = sweep("next", "-o", churn / "churn-next.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "already exists" in ran.err


@pytest.mark.parametrize(("output", "file", "name"), [
    ("elsewhere", "elsewhere/churn-next.yaml", "churn-next"),
    ("elsewhere/finer.yml", "elsewhere/finer.yml", "finer"),
    ("elsewhere/no name.yaml", "elsewhere/no name.yaml", "churn-next"),
])  # fmt: skip
def test_relative_paths_mean_the_same_elsewhere(sweep: Sweep, churn: Path, output: str, file: str, name: str) -> None:
    (churn.parent / "elsewhere").mkdir()
    assert sweep("next", "-o", output).out == f"{file}\n"
    assert sweep("check", file).code == 0
    text = (churn.parent / file).read_text()
    assert "data: ../examples/data/telco_churn.csv         # relative to this file; was data/telco_churn.csv\n" in text
    assert f"name: {name}\n" in text


def test_the_users_own_file_is_found_from_elsewhere(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "train.py").write_text(TRAIN)
    launched_in(made(tmp_path / "results"), tmp_path / "here")
    assert sweep("next", "-o", "there").out == "there/made-up-next.yaml\n"
    assert read_spec(tmp_path / "there" / "made-up-next.yaml").trainable == "../here/train.py:train"
    assert sweep("check", "there/made-up-next.yaml").code == 0


def test_what_is_found_from_one_place_only(sweep: Sweep, tmp_path: Path) -> None:
    from orchestrator.analysis.next_spec.relative_paths import rebase_paths

    for name in ("train.py", "a.csv"):
        (tmp_path / name).write_text(TRAIN)
    (tmp_path / "there").mkdir()
    for plain in (
        {"trainable": "train:train"},
        {"trainable": "tabular", "space": {"data": {"choice": ["a.csv", "b.csv"]}}},
    ):
        assert rebase_paths(plain, tmp_path, tmp_path) == []
        with pytest.raises(UserError, match="write the spec there"):
            rebase_paths(plain, tmp_path, tmp_path / "there")
    assert rebase_paths({"trainable": "os.path:join", "fixed": {"x": "/etc/hosts"}}, tmp_path, tmp_path / "there") == []


def test_a_directory_that_is_gone_is_not_needed(sweep: Sweep, tmp_path: Path) -> None:
    launched_in(made(tmp_path / "results"), tmp_path / "gone")
    ran = sweep("next")
    assert ran.out == "made-up-next.yaml\n"
    assert "not checked against the trainable: sweep next runs no code of a sweep; sweep check does" in ran.err


@pytest.mark.parametrize(("low", "proposed"), [(None, 0.32), (0.5, 0.5)])
def test_what_the_trainable_declared_at_the_launch_bounds_ranges(
    sweep: Sweep, tmp_path: Path, low: float | None, proposed: float
) -> None:
    space = {"lr": {"loguniform": [1.0, 10.0]}, "kind": {"choice": ["good", "fine"]}, "sizes": {"choice": [[8], [16]]}}
    paths = record(tmp_path / "results", space=space, scheduler={"method": "none"}, budget={"trials": 60})
    launched_in(paths, tmp_path, limits={} if low is None else {"lr": Limits(low=low)})
    assert sweep("next", "-o", "next.yaml").code == 0
    found = read_spec(tmp_path / "next.yaml").distributions()["lr"].bounds
    assert found[0] == proposed


def test_the_limits_that_a_trainable_declares_are_recorded() -> None:
    def declared(name: str, **limits: Any) -> Hyperparameter:
        return Hyperparameter(name=name, type=float, default=1.0, meaning="", **limits)

    declaration = Declaration(
        hyperparameters=(declared("a", low=0), declared("b"), declared("c", choices=(1, Path("x")), high=2.0))
    )
    assert limits_of(declaration) == {"a": Limits(low=0.0), "c": Limits(high=2.0, choices=[1])}


@pytest.mark.parametrize(
    ("trainable", "in_spec", "method"),
    [("evil.py:train", "evil.py:train", "random"), ("evil:train", "evil:train", "random"),
     ("tabular", "evil.py:train", "random"), ("evil.py:train", "tabular", "random"),
     ("tabular", "tabular", "evil.py:Search"), ("tabular", "tabular", "evil:Search")],
)  # fmt: skip
def test_no_code_of_the_recorded_directory_is_run(
    sweep: Sweep, tmp_path: Path, trainable: str, in_spec: str, method: str
) -> None:
    paths, there = made(tmp_path / "results"), tmp_path / "there"
    there.mkdir()
    marks = f"import pathlib\npathlib.Path({str(tmp_path / 'was-run')!r}).touch()\n"
    (there / "evil.py").write_text(f"{marks}def train(config, trial): ...\nclass Search: ...\n")
    (there / "sitecustomize.py").write_text(marks)
    info = read_sweep_json(paths.info)
    spec = {**info.spec, "trainable": in_spec, "search": {**info.spec["search"], "method": method}}
    launched_in(paths, there, trainable=trainable, spec=spec)
    sweep("next")
    sweep("next", "--json")
    assert not (tmp_path / "was-run").exists()


def test_a_chain_is_numbered_and_keeps_no_old_reasons(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    paths = made(tmp_path / "results", name="churn-next", parent="churn")
    launched_in(paths, tmp_path)
    paths.spec.write_text("# sweep next: from churn\nname: churn-next\nparent: churn # was old\nbroken: [")
    assert sweep("next").out == "churn-next-2.yaml\n"
    text = (tmp_path / "churn-next-2.yaml").read_text()
    assert "parent: churn-next\n" in text
    assert "was old" not in text


def test_few_trials_change_no_range(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    launched_in(record(tmp_path / "results"), tmp_path)
    ran = sweep("next")
    assert "too few results to change any range" in ran.err
    text = (tmp_path / "made-up-next.yaml").read_text()
    assert "lr: {loguniform: [1.0e-06, 0.1]}\n" in text
    assert "# was empty: the best of made-up, trials 3, 8, " in text


@pytest.mark.parametrize(
    ("sections", "code", "said"),
    [
        ({"budget": {"trials": 1}}, 1, "no trial of made-up has a result"),
        ({"search": {"method": "list", "configs": [{"lr": 0.1, "kind": "good", "sizes": [8]}]}}, 2, "sweep confirm"),
    ],
)
def test_what_has_no_next(sweep: Sweep, tmp_path: Path, sections: dict[str, Any], code: int, said: str) -> None:
    launched_in(record(tmp_path / "results", **sections), tmp_path)
    ran = sweep("next")
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_place_that_cannot_be_written(sweep: Sweep, churn: Path) -> None:
    for place in ("nowhere/next.yaml", "next.txt"):
        ran = sweep("next", "-o", place)
        assert (ran.code, ran.out) == (2, "")
        assert place in ran.err


@pytest.mark.parametrize(("many", "said"), [(9, True), (10, False)])
def test_of_many_parameters_it_says_that_it_takes_a_while(
    many: int, said: bool, sweep: Sweep, churn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_, "MANY", many)
    assert ("comparing what the trials say of 9 parameters" in sweep("next").err) == said
