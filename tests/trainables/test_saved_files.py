"""Files and directories that a trial saves: copied as they are, replaced at once, removed with what names them."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainables.saved import LONG, Usage
from trainables.checkpoints import saved_files, saving
from trainables.checkpoints.files import load, surplus, tidy
from trainables.checkpoints.saving import Checkpoints
from trainables.trial import Trial


def written(directory: Path, step: int) -> Path:
    """A directory as Hugging Face and torch's distributed checkpoints write them."""
    path = directory / "output" / f"checkpoint-{step}"
    (path / "shards").mkdir(parents=True)
    (path / "model.safetensors").write_bytes(bytes([step]) * 1000)
    (path / "shards" / ".metadata").write_text(str(step))
    (path / "shards" / "empty").mkdir()
    return path


def files_of(directory: Path) -> dict[str, int]:
    return {path.stem: load(path)["step"] for path in directory.glob("*.json")}


def places(checkpoints: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in checkpoints.iterdir() if saved_files.is_place(path.name))


def test_a_directory_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    trial = Trial(config={}, directory=tmp_path / "trial")
    source = written(tmp_path, 3)
    trial.save(step=3, path=source, losses=[1.0, 0.5])
    drawn = torch.rand(1)
    (source / "model.safetensors").write_bytes(b"next")  # in place
    (source / "shards" / ".metadata").unlink()

    state = Trial(config={}, directory=tmp_path / "trial").restore()
    assert state is not None
    path = state.pop("path")
    assert state == {"step": 3, "losses": [1.0, 0.5]}
    assert path.name == "checkpoint-3"
    assert (path / "model.safetensors").read_bytes() == bytes([3]) * 1000
    assert (path / "shards" / ".metadata").read_text() == "3"
    assert (path / "shards" / "empty").is_dir()
    assert torch.rand(1) == drawn


@pytest.mark.parametrize("given_as", [str, Path, os.fspath])
def test_a_file_comes_back_under_its_name(tmp_path: Path, given_as: type) -> None:
    (tmp_path / "epoch=3.ckpt").write_bytes(b"PK weights")
    (tmp_path / "latest.ckpt").symlink_to("epoch=3.ckpt")
    trial = Trial(config={}, directory=tmp_path / "trial")
    trial.save(step=3, path=given_as(tmp_path / "latest.ckpt"))
    state = trial.restore()
    assert state is not None
    assert (state["path"].name, state["path"].read_bytes()) == ("epoch=3.ckpt", b"PK weights")
    assert not state["path"].is_symlink()


def test_best_and_last_share_a_copy_and_what_no_checkpoint_names_goes(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "7")
    kept = []
    for step, loss in enumerate([3.0, 1.0, 2.0, 0.5], start=1):
        saved.save(step, {}, written(tmp_path, step))
        saved.report(step, loss)
        kept.append(places(tmp_path / "7"))
    assert kept == [["step-1"], ["step-2"], ["step-2", "step-3"], ["step-4"]]
    saved.save(5, {"weight": torch.ones(3)})
    saved.report(5, 0.1)
    assert sorted(path.name for path in (tmp_path / "7").iterdir()) == ["best.pt", "last.pt"]


def test_at_intervals_superseded_copies_go_at_once(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "7", every_s=LONG)
    for step in range(1, 9):
        saved.save(step, {}, written(tmp_path, step))
        saved.report(step, abs(step - 3))
        assert len(places(tmp_path / "7")) <= 2
    assert list((tmp_path / "7").glob("*.json")) == []
    assert saved.write_now() == 8
    assert load(tmp_path / "7" / "best.json")["path"].name == "checkpoint-3"
    saved.save(9, {}, written(tmp_path, 9))
    saved.close("best")
    tidy(tmp_path / "7", "best")
    assert places(tmp_path / "7") == ["step-3"]
    saved.save(10, {}, written(tmp_path, 10))
    assert places(tmp_path / "7") == ["step-3"], "closed is closed"


def test_nothing_is_left_of_a_trial_whose_checkpoints_are_not_kept(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "7", every_s=LONG)
    saved.save(1, {}, written(tmp_path, 1))
    saved.close("none")
    assert places(tmp_path / "7") == []
    tidy(tmp_path / "7", "none")
    assert not (tmp_path / "7").exists()


def test_after_its_directory_was_tidied_away_nothing_is_copied(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = Checkpoints(tmp_path / "7", every_s=LONG)
    saved.save(1, {}, written(tmp_path, 1))
    tidy(tmp_path / "7", "none")
    saved.save(2, {}, written(tmp_path, 2))
    saved.close()
    assert not (tmp_path / "7").exists()
    assert capfd.readouterr().err == ""


def test_what_is_surplus_and_what_is_not(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "7")
    for step in (1, 2):
        saved.save(step, {}, written(tmp_path, step))
        saved.report(step, step)
    left = tmp_path / "7" / "step-9-0a1b2c3d"
    (left / "checkpoint-9").mkdir(parents=True)
    assert surplus(tmp_path / "7", "both") == [left]
    assert [path.name.partition("-")[0] for path in surplus(tmp_path / "7", "best")] == ["last.json", "step", "step"]
    tidy(tmp_path / "7", "best")
    assert files_of(tmp_path / "7") == {"best": 1}
    assert places(tmp_path / "7") == ["step-1"]


# ---------------------------------------------------------------------------------------------- kills and disks

KILLED = """
    import sys
    from pathlib import Path
    from trainables.checkpoints.saving import Checkpoints
    directory = Path(sys.argv[1])
    saved = Checkpoints(directory / "7")
    saved.restore()
    for step in range(1, 10**9):
        path = directory / "output"
        path.mkdir(exist_ok=True)
        for shard in range(8):
            (path / str(shard)).write_bytes(step.to_bytes(4, "big") * 20_000)
        saved.save(step, {}, path)
        saved.report(step, -step if step % 3 == 0 else step)
        print(step, flush=True)
"""


def test_killed_at_any_moment_the_old_or_the_new_one_is_whole(tmp_path: Path) -> None:
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
        restored = Checkpoints(tmp_path / "7").restore()
        assert restored is not None
        assert restored.step >= int((steps or ["1"])[-1]), "what was told is there"
        assert restored.files is not None
        for shard in range(8):
            content = (restored.files.path / str(shard)).read_bytes()
            assert content == restored.step.to_bytes(4, "big") * 20_000
        assert not list(tmp_path.glob("7/*.damaged"))
    again = Checkpoints(tmp_path / "7")
    again.save(1, {}, written(tmp_path, 1))
    assert len(places(tmp_path / "7")) <= 2, "what killed writers left is removed"


def test_a_copy_with_less_than_was_saved_is_damaged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved = Checkpoints(tmp_path / "7")
    for step in (1, 2):
        saved.save(step, {}, written(tmp_path, step))
        saved.report(step, step)
    os.truncate(next(tmp_path.glob("7/step-2-*/checkpoint-2/model.safetensors")), 10)
    restored = Checkpoints(tmp_path / "7").restore()
    assert restored is not None
    assert restored.step == 1
    assert "checkpoint-2/model.safetensors has 10 bytes of 1000" in capfd.readouterr().err
    next(tmp_path.glob("7/step-1-*/checkpoint-1/shards/.metadata")).unlink()
    assert Checkpoints(tmp_path / "7").restore() is None
    assert "checkpoint-1/shards/.metadata is missing" in capfd.readouterr().err


@settings(max_examples=30, deadline=None)
@given(
    place=st.sampled_from(["step-1-0a1b2c3d", "../7", "..", "/etc", "step-1-0a1b2c3d/.."]),
    name=st.sampled_from(["output", "..", "/etc/passwd", "../output", ""]),
    inner=st.sampled_from(["", "a", "../a", "/etc/passwd", "x/../../a"]),
)
def test_what_a_damaged_checkpoint_names_leads_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory, place: str, name: str, inner: str
) -> None:
    checkpoints = tmp_path_factory.mktemp("7")
    record = {"place": place, "name": name, "sizes": {inner: 1}}
    with pytest.raises(ValueError, match=r"outside of the trial's|missing"):
        saved_files.SavedFiles.recorded(record, checkpoints)


def test_a_full_disk_ends_no_training_and_leaves_the_old_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    free = [10**12]
    saved = Checkpoints(tmp_path / "7", disk_usage=lambda _: Usage(10**12, 0, free[0]))
    saved.save(1, {}, written(tmp_path, 1))
    free[0] = saving.MARGIN + 999
    saved.save(2, {}, written(tmp_path, 2))
    saved.report(2, 0.1)
    assert (files_of(tmp_path / "7"), saved.write_now()) == ({"last": 1}, None)
    assert capfd.readouterr().err.count("cannot be written: only 537 MB free on disk") == 1
    free[0] = 10**12
    saved.save(4, {}, written(tmp_path, 4))
    assert files_of(tmp_path / "7") == {"last": 4}
    assert places(tmp_path / "7") == ["step-4"]
    assert "checkpoints are written again" in capfd.readouterr().err


def test_a_disk_that_fails_in_the_middle_keeps_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Checkpoints(tmp_path / "7")
    saved.save(1, {}, written(tmp_path, 1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(saved_files.shutil, "copyfileobj", full)
    saved.save(2, {}, written(tmp_path, 2))
    assert files_of(tmp_path / "7") == {"last": 1}
    assert places(tmp_path / "7") == ["step-1"]
    assert saved.trouble == os.strerror(errno.ENOSPC)


@pytest.mark.parametrize("refused", [errno.EXDEV, errno.EINVAL, None])
def test_where_the_kernel_cannot_copy_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int | None
) -> None:
    def refuse(*_: object) -> int:
        if refused is None:
            return 0  # as some network file systems answer
        raise OSError(refused, os.strerror(refused))

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    test_a_directory_comes_back_as_it_was_saved(tmp_path)


# -------------------------------------------------------------------------------------------------------- links


def test_links_within_stay_links_within(tmp_path: Path) -> None:
    source = written(tmp_path, 3)
    (source / "latest").symlink_to(source / "model.safetensors")  # absolute
    (source / "shards" / "up").symlink_to("..")
    trial = Trial(config={}, directory=tmp_path / "trial")
    trial.save(step=3, path=source)
    state = trial.restore()
    assert state is not None
    copy = state["path"]
    assert (copy / "latest").resolve() == copy / "model.safetensors"
    assert (copy / "shards" / "up").resolve() == copy


def test_a_link_that_leads_out_is_refused_and_nothing_is_copied(tmp_path: Path) -> None:
    source = written(tmp_path, 3)
    (tmp_path / "secret").mkdir()
    (source / "shards" / "out").symlink_to(tmp_path / "secret")
    for trial in (Trial(config={}, directory=tmp_path / "trial"), Trial(config={})):
        with pytest.raises(ValueError, match=r"shards/out is a symbolic link out of it; put a copy there"):
            trial.save(step=3, path=source)
    assert not (tmp_path / "trial").exists()


def test_a_place_replaced_by_a_link_is_neither_read_nor_emptied(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "7")
    saved.save(1, {}, written(tmp_path, 1))
    place = next(tmp_path.glob("7/step-1-*"))
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert Checkpoints(tmp_path / "7").restore() is None
    tidy(tmp_path / "7", "none")
    assert not (tmp_path / "7").exists()
    assert (tmp_path / "moved" / "checkpoint-1" / "model.safetensors").exists()


# ----------------------------------------------------------------------------------------------------- mistakes


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    source = written(tmp_path, 3)
    os.mkfifo(tmp_path / "pipe")
    for trial in (Trial(config={}, directory=tmp_path / "trial"), Trial(config={})):
        with pytest.raises(FileNotFoundError, match=r"trial.save\(path=…\): no such file or directory: '.*/none'"):
            trial.save(step=3, path=tmp_path / "none")
        with pytest.raises(ValueError, match="pipe is neither a file nor a directory"):
            trial.save(step=3, path=tmp_path / "pipe")
        with pytest.raises(TypeError, match="a path is a str or a pathlib"):
            trial.save(step=3, path=torch.nn.Linear(1, 1))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"trial.save\(path=…, model=…\): tensors are saved in the path"):
            trial.save(step=3, path=source, model=torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="the trial's checkpoints are themselves in it"):
        Trial(config={}, directory=tmp_path / "trial").save(step=3, path=tmp_path)


def test_a_restored_path_can_be_saved_again(tmp_path: Path) -> None:
    trial = Trial(config={}, directory=tmp_path / "trial")
    trial.save(step=3, path=written(tmp_path, 3))
    for step in (4, 5):
        state = trial.restore()
        assert state is not None
        trial.save(step=step, path=state["path"])
    assert places(tmp_path / "trial" / "checkpoints") == ["step-5"]
