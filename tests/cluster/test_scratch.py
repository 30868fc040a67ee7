"""The directories of running sweeps for temporary files: short, private, and removed after a kill."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.local.scratch import LONGEST, MARK, NoScratchError, scratch

KILLED = """
import os, signal
from cluster.local.scratch import scratch
with scratch() as directory:
    (directory.path / "ray").mkdir()
    print(directory.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short directory that stands for /tmp."""
    path = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield path
    shutil.rmtree(path)


def _killed() -> Path:
    run = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False)
    return Path(run.stdout.strip())


def test_it_is_in_tmpdir_and_for_this_user_alone(place: Path) -> None:
    with scratch() as directory:
        assert directory.path.parent == place
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert list(place.iterdir()) == []


def _too_long(place: Path) -> Path:
    path = place / ("x" * 60)
    path.mkdir()
    return path


def _missing(place: Path) -> Path:
    return place / "missing"


def _a_file(place: Path) -> Path:
    (place / "file").touch()
    return place / "file"


@pytest.mark.parametrize("bad", [_too_long, _missing, _a_file])
@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_a_directory_that_cannot_be_used_is_passed_over(
    place: Path, bad: Callable[[Path], Path], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(bad(place)))
    with scratch() as directory:
        assert len(os.fsencode(directory.path)) <= LONGEST
        assert directory.path.is_dir()


def test_where_none_can_be_used_each_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prefix: str, dir: Path) -> str:
        raise OSError(28, "No space left on device", str(dir))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(NoScratchError, match=rf"{place}: No space left on device.*set TMPDIR"), scratch():
        pass


def test_what_a_kill_leaves_behind_is_removed_by_the_next(place: Path) -> None:
    left = _killed()
    assert (left / "ray").is_dir()
    with scratch() as directory:
        assert list(place.iterdir()) == [directory.path]


def test_what_a_living_process_holds_stays(place: Path) -> None:
    with scratch() as first, scratch() as second:
        assert first.path.is_dir()
        assert second.path.is_dir()


def test_what_an_heir_of_the_lock_needs_stays(place: Path) -> None:
    """As the reaper, which looks for files in the directory after its driver was killed."""
    with scratch() as directory:
        heir = subprocess.Popen(["sleep", "60"], pass_fds=[directory.lock])
        kept = place / "sweep-kept"
        directory.path.rename(kept)
    try:
        with scratch():
            assert kept.is_dir()
    finally:
        heir.kill()
        heir.wait()
    with scratch():
        assert not kept.exists()


def test_nothing_else_is_removed(place: Path) -> None:
    (place / "sweep-of-the-user").mkdir()
    outside = place / "outside"
    outside.mkdir()
    (outside / MARK).touch()
    (place / "sweep-link").symlink_to(outside)
    marked_by_link = place / "sweep-marked-by-link"
    marked_by_link.mkdir()
    (marked_by_link / MARK).symlink_to(outside / MARK)
    (place / "sweep-file").touch()
    os.mkfifo(place / "sweep-fifo")
    before = sorted(place.rglob("*"))
    with scratch():
        pass
    assert sorted(place.rglob("*")) == before


def test_nothing_of_another_user_is_removed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = _killed()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with scratch():
        assert left.is_dir()


def test_after_some_errors_it_stays_until_the_next(place: Path) -> None:
    with pytest.raises(KeyError), scratch(kept_after=(LookupError,)) as kept:
        raise KeyError
    assert kept.path.is_dir()
    with pytest.raises(ZeroDivisionError), scratch(kept_after=(LookupError,)) as removed:
        raise ZeroDivisionError
    assert not kept.path.exists()
    assert not removed.path.exists()
