"""Nothing outside of a sweep's directory is written, emptied or removed, wherever the links in it lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.after.clean import clean
from orchestrator.cli.app import main
from orchestrator.control.lease import Lease
from orchestrator.driver.resume import resume
from orchestrator.errors import RecordsError
from orchestrator.records.atomic_files import replace_file, temporary_path
from orchestrator.records.paths import SweepPaths, refuse_links
from tests.cli.recorded import record
from tests.fuzz.directories import TRAIN, NoRay
from trainables.checkpoints.files import surplus, tidy


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory with something precious in it."""
    path = tmp_path / "outside"
    path.mkdir()
    for name in ("precious", ".hidden", "best.pt", "last.json"):
        (path / name).write_text("precious")
    return path


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    """A sweep that was ended early, with checkpoints that may go."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "train.py").write_text(TRAIN)
    paths = record(tmp_path / "results", halt_after=5, trial={"isolation": "reuse"})
    for trial in (0, 1):
        paths.checkpoints(trial).mkdir(parents=True)
        (paths.checkpoints(trial) / "old.pt").write_text("may go")
    return paths


def precious(outside: Path) -> bool:
    return [path.read_text() for path in outside.iterdir()] == ["precious"] * 4


LINKS = (
    "checkpoints", "checkpoints/7", "checkpoints/0", "metrics", "events", "logs", "logs/0.log", "journals", "requests",
    "code", ".code.tmp", ".code.old", "trials", "trials/0", "trials.parquet", ".trials.parquet.tmp", ".sweep.json.tmp",
    ".lease.json.lock", "metrics/.000000.parquet.tmp", "journals/0.jsonl",
)  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
def test_commands_that_write_refuse_links(
    paths: SweepPaths, outside: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    link = paths.root / name
    if link.is_dir():
        link.rename(outside.parent / "moved")
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(outside / "precious" if "." in name[1:] else outside)
    with pytest.raises(RecordsError):
        resume(paths, engine=NoRay())
    main(["clean", str(paths.root)])
    main(["clean", str(paths.root), "--keep", "none"])
    main(["stop", str(paths.root)])
    assert precious(outside)
    assert link.is_symlink()
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert "internal error" not in err
    with pytest.raises(RecordsError, match="is a symbolic link, and nothing is written through one"):
        refuse_links(paths)


def test_links_that_trials_made_are_theirs(paths: SweepPaths, outside: Path) -> None:
    paths.trial(0).mkdir(parents=True)
    (paths.trial(0) / "data").symlink_to(outside)
    place = paths.checkpoints(0) / "step-1-0a1b2c3d"
    (place / "output").mkdir(parents=True)
    (place / "output" / "data").symlink_to(outside)
    refuse_links(paths)
    assert len(clean(paths)) == 2
    assert precious(outside)


@pytest.mark.parametrize("above", [False, True])
def test_checkpoints_are_removed_through_no_link(tmp_path: Path, outside: Path, above: bool) -> None:
    """Also where the link has come after the check."""
    directory = tmp_path / "checkpoints" / "7"
    if above:
        (outside / "7").mkdir()
        (outside / "7" / "old.pt").write_text("precious")
        directory.parent.symlink_to(outside)
    else:
        directory.parent.mkdir()
        directory.symlink_to(outside)
    for act in (surplus, tidy):
        with pytest.raises(OSError, match="a symbolic link, through which nothing is removed"):
            act(directory, "none")
    assert (outside / "precious").exists()
    assert not above or (outside / "7" / "old.pt").exists()


@pytest.mark.parametrize("name", [".lease.json.lock", ".lease.json.tmp"])
def test_a_lease_is_taken_through_no_link(tmp_path: Path, outside: Path, name: str) -> None:
    (tmp_path / name).symlink_to(outside / "precious")
    try:
        Lease.acquire(tmp_path / "lease.json").release()
    except RecordsError:
        assert name == ".lease.json.lock"
    assert precious(outside)


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_file_is_replaced_through_no_link(tmp_path: Path, outside: Path, kind: str) -> None:
    path = tmp_path / "sweep.json"
    temporary = temporary_path(path)
    if kind == "symbolic":
        temporary.symlink_to(outside / "precious")
    else:
        temporary.hardlink_to(outside / "precious")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()
    assert precious(outside)
