"""Where a sweep's code and data are found, after it was moved with them or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.project import given_again, project_directory
from orchestrator.records.provenance import SweepInfo, collect

CODE = {"train.py": "code sha256 0"}


def sweep_in(project: Path, root: str = "results/mine", fingerprints: dict[str, str] | None = None) -> SweepInfo:
    """A sweep of a project with a file of code and one of data."""
    at = Path(project, root)
    at.mkdir(parents=True)
    (project / "train.py").touch()
    (project / "data.csv").touch()
    return collect(
        name="mine",
        seed=1,
        trainable="train.py:train",
        spec={},
        command=[],
        directory=project,
        location=at,
        fingerprints=CODE if fingerprints is None else fingerprints,
    )


def test_it_stays_where_it_is(tmp_path: Path) -> None:
    project = tmp_path / "project"
    info = sweep_in(project)
    assert project_directory(SweepPaths(project / "results" / "mine"), info) == project
    (project / "results" / "mine").rename(project / "results" / "other")
    assert project_directory(SweepPaths(project / "results" / "other"), info) == project
    (project / "results").rename(tmp_path / "elsewhere")
    assert project_directory(SweepPaths(tmp_path / "elsewhere" / "other"), info) == project


@pytest.mark.parametrize("root", ["results/mine", "deeper/results/mine", "../results/mine"])
@pytest.mark.parametrize("fingerprints", [CODE, {"data data.csv": "sha256 0"}])
def test_it_moves_with_its_results(root: str, fingerprints: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    info = sweep_in(tmp_path / "before" / "project", root, fingerprints)
    (tmp_path / "before").rename(tmp_path / "now")
    paths = SweepPaths(tmp_path / "now" / "project" / root)
    assert project_directory(paths, info) == tmp_path / "now" / "project"


def test_a_copy_has_its_own_code(tmp_path: Path) -> None:
    info = sweep_in(tmp_path / "a")
    sweep_in(tmp_path / "b")
    assert project_directory(SweepPaths(tmp_path / "b/results/mine"), info) == tmp_path / "b"


def test_a_built_in_trainable_needs_no_file(tmp_path: Path) -> None:
    builtin = {"trainables/builtin/linear.py": "code sha256 0"}
    info = replace(sweep_in(tmp_path / "a", fingerprints=builtin), trainable="linear")
    (tmp_path / "a").rename(tmp_path / "b")
    assert project_directory(SweepPaths(tmp_path / "b/results/mine"), info) == tmp_path / "b"


def test_one_that_is_gone_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = sweep_in(tmp_path / "a")
    (tmp_path / "a" / "results").rename(tmp_path / "results")
    (tmp_path / "a").rename(tmp_path / "b")
    paths = SweepPaths(tmp_path / "results" / "mine")
    for each in (info, replace(info, location="")):
        with pytest.raises(
            UserError, match=r"mine was launched in .*/a, which no longer exists; say .*: --project DIR"
        ):
            project_directory(paths, each)
    with pytest.raises(UserError, match=r"there is no directory .*nothing"):
        project_directory(paths, info, tmp_path / "nothing")
    monkeypatch.chdir(tmp_path)
    assert project_directory(paths, info, Path("b")) == tmp_path / "b"


def test_a_trainable_that_only_python_can_give(tmp_path: Path) -> None:
    info = sweep_in(tmp_path / "a")
    assert given_again("mine", info, tmp_path, how="") is None
    for given, trainable in (("memory", "tasks:make.<locals>.train"), (None, "__main__:train")):
        with pytest.raises(UserError, match=r"of mine was given from Python, .*notebook.*: run\(train\)$"):
            given_again("mine", replace(info, given=given, trainable=trainable), tmp_path, how="run({train})")
    with pytest.raises(UserError, match=r"of mine was given from Python, .*No module named 'gone'.*: run\(train\)$"):
        given_again("mine", replace(info, given="module", trainable="gone:train"), tmp_path, how="run({train})")
