"""When a trial is saved, what stays of it, and what happens when saving goes wrong."""

from __future__ import annotations

import errno
import math
import os
import random
import subprocess
import sys
import textwrap
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from trainables import saving, snapshot
from trainables.checkpoint import Keep, find, load, surplus, tidy
from trainables.contract import Report, Trial, TrialEnded, run
from trainables.saving import Checkpoints
from trainables.snapshot import DamagedCheckpoint

LONG = 3600.0
Usage = namedtuple("Usage", "total used free")


def files(directory: Path) -> dict[str, int]:
    """Each file's name, and the step in it."""
    return {path.name: load(path)["step"] for path in sorted(directory.iterdir())}


def state(step: int) -> dict[str, Any]:
    return {"weight": torch.full((4,), float(step))}


# ------------------------------------------------------------------------------------------------ best and last


@pytest.mark.parametrize("first", ["save", "report"])
def test_best_is_the_state_at_the_best_report(first: str, tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path)
    for step, loss in enumerate([3.0, 1.0, 2.0], start=1):
        if first == "save":
            saved.save(step, state(step))
        saved.report(step, loss)
        if first == "report":
            saved.save(step, state(step))
    assert files(tmp_path) == {"best.pt": 2, "last.pt": 3}
    assert torch.equal(load(tmp_path / "best.pt")["weight"], state(2)["weight"])


def test_what_is_not_finite_is_never_best(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path)
    for step, loss in enumerate([math.nan, 2.0, -math.inf, math.nan], start=1):
        saved.save(step, state(step))
        saved.report(step, loss)
    assert files(tmp_path) == {"best.pt": 2, "last.pt": 4}


def test_a_report_of_another_step_makes_no_best(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path)
    saved.report(1, 0.1)
    saved.save(2, state(2))
    saved.report(3, 0.1)
    assert files(tmp_path) == {"last.pt": 2}


def test_the_best_is_known_after_a_restart(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path)
    for step, loss in ((1, 1.0), (2, 5.0)):
        saved.save(step, state(step))
        saved.report(step, loss)
    again = Checkpoints(tmp_path)
    restored = again.restore()
    assert restored is not None
    assert restored.step == 2
    again.save(3, state(3))
    again.report(3, 4.0)
    assert files(tmp_path) == {"best.pt": 1, "last.pt": 3}


def test_the_same_state_is_written_once(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path, every_s=LONG)
    saved.save(1, state(1))
    saved.report(1, 1.0)
    saved.close()
    assert (tmp_path / "best.pt").samefile(tmp_path / "last.pt")


def test_a_disk_without_links_gets_it_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    test_best_is_the_state_at_the_best_report("report", tmp_path)


def test_a_state_that_gains_a_tensor_replaces_the_file_without(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path)
    for step, value in ((1, {"a": 1.0}), (2, state(2))):
        saved.save(step, value)
        saved.report(step, -step)
    assert files(tmp_path) == {"best.pt": 2, "last.pt": 2}


# ---------------------------------------------------------------------------------------------------- intervals


def test_at_intervals_the_newest_is_written_beside_the_training(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path, every_s=0.15)
    written = []
    for step in range(1, 31):
        saved.save(step, state(step))
        time.sleep(0.02)
        if find(tmp_path, "last") is not None:
            written.append(load(tmp_path / "last.pt")["step"])
    saved.close()
    assert 2 <= len(set(written)) <= 6
    assert files(tmp_path) == {"last.pt": 30}


def test_at_the_end_best_and_last_are_exact(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path, every_s=LONG)
    for step in range(1, 10):
        saved.save(step, state(step))
        saved.report(step, abs(step - 5))
    assert files(tmp_path) == {}
    saved.close()
    assert files(tmp_path) == {"best.pt": 5, "last.pt": 9}
    saved.save(10, state(10))
    saved.report(10, -1.0)
    saved.close()
    assert files(tmp_path) == {"best.pt": 5, "last.pt": 9}, "closed is closed"


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("best", {"best.pt": 1}), ("last", {"last.pt": 2}), ("both", {"best.pt": 1, "last.pt": 2}), ("none", {})],
)
def test_what_is_kept(keep: Keep, expected: dict[str, int], tmp_path: Path) -> None:
    for number, every_s in enumerate((0.0, LONG)):  # written before, and left out of the last writing
        directory = tmp_path / str(number)
        saved = Checkpoints(directory, every_s=every_s)
        for step in (1, 2):
            saved.save(step, state(step))
            saved.report(step, step)
        saved.close(keep)
        if every_s:
            assert files(directory) == expected
        (directory / ".last.pt.0a1b2c3d").touch()
        (directory / "last.pt.damaged").touch()
        going = {path.name for path in surplus(directory, keep)}
        assert going == {path.name for path in directory.iterdir()} - expected.keys()
        tidy(directory, keep)
        assert surplus(directory, keep) == []
        assert (files(directory) if directory.exists() else {}) == expected
        assert directory.exists() == bool(expected)
        tidy(directory, keep)


def test_without_a_best_one_the_last_is_kept(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path, every_s=LONG)
    saved.save(1, state(1))
    saved.close("best")
    tidy(tmp_path, "best")
    assert files(tmp_path) == {"last.pt": 1}


def test_after_its_directory_was_tidied_away_nothing_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = Checkpoints(tmp_path / "7", every_s=LONG)
    saved.save(1, state(1))
    tidy(tmp_path / "7", "none")
    saved.save(2, state(2))
    saved.close()
    assert not (tmp_path / "7").exists()
    assert capfd.readouterr().err == ""


def test_a_writer_at_work_does_not_outlive_the_tidying(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(40):
        saved = Checkpoints(tmp_path / "7", every_s=0.0005)
        for step in range(1, 3 + number % 5):
            saved.save(step, {"a": 1.0})
            saved.report(step, -step)
            time.sleep(0.0005)
        saved.close("none")
        tidy(tmp_path / "7", "none")
        time.sleep(0.002)
        assert not (tmp_path / "7").exists()
    assert capfd.readouterr().err == ""


def test_if_the_best_was_removed_there_is_a_new_best(tmp_path: Path) -> None:
    again = two(tmp_path)
    (tmp_path / "best.pt").unlink()
    assert again.restore() is not None
    again.save(3, state(3))
    again.report(3, 9.0)
    assert files(tmp_path) == {"best.pt": 3, "last.pt": 3}


# ------------------------------------------------------------------------------------------------------- damage


def two(directory: Path) -> Checkpoints:
    saved = Checkpoints(directory)
    for step in (1, 2):
        saved.save(step, state(step))
        saved.report(step, step)
    return Checkpoints(directory)


def test_a_damaged_last_gives_way_to_the_best(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    again = two(tmp_path)
    whole = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(whole[: len(whole) // 2])
    restored = again.restore()
    assert restored is not None
    assert restored.step == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt.damaged"]
    assert "last.pt is no whole checkpoint" in capfd.readouterr().err


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
    from trainables.saving import Checkpoints
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
    assert "537 MB are free on its disk" in saved.trouble
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "no checkpoint can be written: 537 MB are free on its disk, 537 MB stay free. Training and rec" in err

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


# ------------------------------------------------------------------------------------ through the trial


def test_in_a_notebook_a_trial_goes_on_in_its_directory(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 1)
    first = Trial(config={}, directory=tmp_path)
    assert first.restore() is None
    first.save(step=3, model=model, seen=[1, 2])
    drawn = torch.rand(1)
    again = Trial(config={}, directory=tmp_path).restore()
    assert again is not None
    assert (again["step"], again["seen"], torch.rand(1)) == (3, [1, 2], drawn)
    torch.nn.Linear(2, 1).load_state_dict(again["model"])


def test_without_a_directory_nothing_is_saved_but_mistakes_show() -> None:
    trial = Trial(config={})
    trial.save(step=1, weight=0.5)
    assert trial.restore() is None
    with pytest.raises(TypeError, match="rng"):
        trial.save(step=1, rng=random.Random())
    with pytest.raises(TypeError, match=r"save\(step=…\) takes an integer, got 0.5"):
        trial.save(step=0.5)


class Counting:
    """A trainable that is a class."""

    def __init__(self, config: dict[str, Any], trial: Trial) -> None:
        self.sum = 0.0

    def step(self) -> dict[str, float] | None:
        self.sum += random.random()
        return {"sum": self.sum}

    def state_dict(self) -> dict[str, Any]:
        return {"sum": self.sum}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.sum = state["sum"]


def test_a_class_goes_on_from_its_last_step(tmp_path: Path) -> None:
    def until(last: int) -> Callable[[Report], None]:
        def take(report: Report) -> None:
            reports.append(report)
            if report.step == last:
                raise TrialEnded

        return take

    histories = []
    for parts in ((5,), (2, 5)):
        reports: list[Report] = []
        random.seed(7)
        for last in parts:
            trial = Trial(config={}, directory=tmp_path / str(parts), sink=until(last))
            with pytest.raises(TrialEnded):
                run(Counting, trial)
            random.seed(8)
        histories.append(reports)
    assert histories[0] == histories[1]


def test_an_interpreter_that_exits_early_is_not_held_up(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from trainables.saving import Checkpoints
        Checkpoints(Path(sys.argv[1]), every_s=3600).save(1, {"a": 1})
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), tmp_path], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_by_name(tmp_path: Path) -> None:
    two(tmp_path)
    best = find(tmp_path, "best")
    assert best == tmp_path / "best.pt"
    assert load(best)["step"] == 1
    best.write_bytes(b"{")
    with pytest.raises(DamagedCheckpoint):
        load(best)
    assert find(tmp_path / "nowhere", "last") is None
