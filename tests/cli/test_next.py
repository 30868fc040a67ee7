"""`sweep next` on recorded sweeps: the file is new, passes the check, and means the same wherever it lies."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json, write_sweep_json
from orchestrator.spec import read_spec
from tests.analysis.report.made import made
from tests.cli.conftest import Ran
from tests.cli.recorded import record

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


def test_a_trainable_that_is_not_here_is_said(sweep: Sweep, tmp_path: Path) -> None:
    launched_in(made(tmp_path / "results"), tmp_path / "gone")
    ran = sweep("next")
    assert ran.out == "made-up-next.yaml\n"
    assert "not checked against the trainable: trainable: there is no file" in ran.err


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
