"""What happens when saving fails: damaged files, kills, full or failing disks."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from tests.trainables.saved import Usage, files, state, two
from trainables.checkpoints import saving, snapshot
from trainables.checkpoints.files import load
from trainables.checkpoints.saving import Checkpoints

pytestmark = pytest.mark.long


def test_a_damaged_last_gives_way_to_the_best(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    again = two(tmp_path)
    whole = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(whole[: len(whole) // 2])
    restored = again.restore()
    assert restored is not None
    assert restored.step == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt.damaged"]
    assert "last.pt is damaged" in capfd.readouterr().err


def test_with_both_damaged_it_begins_anew(tmp_path: Path) -> None:
    again = two(tmp_path)
    for name in ("best.pt", "last.pt"):
        (tmp_path / name).write_bytes(b"PK")
    assert again.restore() is None
    again.save(1, state(1))
    assert load(tmp_path / "last.pt")["step"] == 1


def test_what_cannot_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    again = two(tmp_path)
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(OSError, match="Input/output"):
        again.restore()
    monkeypatch.undo()
    assert files(tmp_path) == {"best.pt": 1, "last.pt": 2}


KILLED = """
    import sys, torch
    from pathlib import Path
    from trainables.checkpoints.saving import Checkpoints
    saved = Checkpoints(Path(sys.argv[1]))
    for step in range(1, 10**9):
        saved.save(step, {"weight": torch.full((200_000,), float(step))})
        saved.report(step, -step if step % 3 == 0 else step)
        print(step, flush=True)
"""


def test_killed_at_any_moment_the_files_are_whole(tmp_path: Path) -> None:
    rng = random.Random(0)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), tmp_path], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.15))
            process.kill()
            steps = process.stdout.read().split()
        restored = Checkpoints(tmp_path).restore()
        assert restored is not None
        assert restored.step >= int((steps or ["1"])[-1]), "what was told is there"
        assert torch.equal(restored.state["weight"], torch.full((200_000,), float(restored.step)))
        assert load(tmp_path / "best.pt")["step"] == 1 or load(tmp_path / "best.pt")["step"] % 3 == 0
        assert not list(tmp_path.glob("*.damaged"))
    again = Checkpoints(tmp_path)
    again.save(1, state(1))
    assert not list(tmp_path.glob(".*")), "what killed writers left is removed"


# ---------------------------------------------------------------------------------------------------- full disk


def test_saving_stops_before_the_disk_is_full_and_begins_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    free = [10**12]
    saved = Checkpoints(tmp_path, disk_usage=lambda _: Usage(10**12, 0, free[0]))
    saved.save(1, state(1))
    free[0] = saving.MARGIN
    for step in (2, 3):
        saved.save(step, state(step))
        saved.report(step, -step)
    assert files(tmp_path) == {"last.pt": 1}
    assert "only 537 MB free on disk" in saved.trouble
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "checkpoints cannot be written: only 537 MB free on disk, 537 MB of it reserved; training and rec" in err

    free[0] = 10**12
    saved.save(4, state(4))
    assert files(tmp_path) == {"best.pt": 3, "last.pt": 4}
    assert saved.trouble == ""
    assert "checkpoints are written again" in capfd.readouterr().err


def test_on_a_small_disk_a_hundredth_stays_free(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path, disk_usage=lambda _: Usage(10**8, 0, 2 * 10**6))
    saved.save(1, state(1))
    assert files(tmp_path) == {"last.pt": 1}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_an_error_of_the_disk_does_not_end_the_training(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        try:
            raise OSError(code, os.strerror(code))
        except OSError:
            raise RuntimeError("unexpected pos 704 vs 598")  # as torch does  # noqa: B904

    saved = Checkpoints(tmp_path)
    saved.save(1, state(1))
    monkeypatch.setattr(snapshot, "write", fail)
    saved.save(2, state(2))
    assert files(tmp_path) == {"last.pt": 1}, "the old one is whole, the half one gone"
    assert os.strerror(code) in capfd.readouterr().err
    monkeypatch.undo()
    saved.save(3, state(3))
    assert files(tmp_path) == {"last.pt": 3}


def test_a_directory_that_cannot_be_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    saved = Checkpoints(tmp_path / "file" / "7")
    for step in (1, 2):
        saved.save(step, state(step))
    assert capfd.readouterr().err.count("Not a directory") == 1
    assert Checkpoints(tmp_path / "file" / "7").restore() is None
