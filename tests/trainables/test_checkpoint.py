"""When a trial is saved, and which files are kept."""

from __future__ import annotations

import errno
import math
import os
import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainables.saved import LONG, files, state, two
from trainables.checkpoints.files import Keep, find, load, surplus, tidy
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import DamagedCheckpoint
from trainables.contract import run
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

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
    for number, every_s in enumerate((0.0, LONG)):  # written at once, and only by close
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
    with pytest.raises(TypeError, match=r"save\(step=…\) takes an integer, not 0.5"):
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
        from trainables.checkpoints.saving import Checkpoints
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
