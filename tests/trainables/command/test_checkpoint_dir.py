"""Programs that save into the directory which they are told, and continue from there."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.command.test_program import python
from trainables.command.program import Program
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

SAVES = """
import json, pathlib, sys, time
directory, *more = sys.argv[1:]
saved = pathlib.Path(directory, "state")
first = int(pathlib.Path(more[1]).read_text()) + 1 if more else 1
print(json.dumps({"resumed": more}))
for epoch in range(first, 5):
    saved.write_text(str(epoch))
    print(json.dumps({"epoch": epoch, "loss": 9 - epoch}), flush=True)
    time.sleep(0.3)
"""


def program(*arguments: str, resume: str = "--resume {checkpoint_dir}/state") -> Program:
    return python(SAVES, *arguments, resume=tuple(shlex.split(resume)))


def attempt(directory: Path, program: Program, *, until: int = 99) -> list[int]:
    """The steps that an attempt reports, up to the one at which it is ended."""
    steps = []

    def sink(report: Report) -> None:
        steps.append(report.step)
        if report.step == until:
            raise TrialEnded

    trial = Trial(config={}, directory=directory, sink=sink)
    if until < 5:
        with pytest.raises(TrialEnded):
            program(trial.config, trial)
    else:
        program(trial.config, trial)
    return steps


def restored(directory: Path) -> dict[str, Any]:
    found = Trial(config={}, directory=directory).restore()
    assert found is not None
    return found


def test_it_continues_where_it_was_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saves = program("{checkpoint_dir}", "{resume}")
    assert attempt(tmp_path, saves, until=2) == [1, 2]
    assert restored(tmp_path)["step"] == 2
    assert (restored(tmp_path)["path"] / "state").read_text() == "2"
    assert not (tmp_path / "checkpoint").exists()
    assert attempt(tmp_path, saves) == [3, 4]
    assert restored(tmp_path)["step"] == 4
    resumed = [line for line in capfd.readouterr().out.splitlines() if "resumed" in line]
    assert resumed == ['{"resumed": []}', f'{{"resumed": ["--resume", "{tmp_path}/checkpoint/state"]}}']


def test_what_a_killed_attempt_has_left_is_replaced_by_the_last_copy(tmp_path: Path) -> None:
    saves = program("{checkpoint_dir}", "--resume", "{resume}", resume="{checkpoint_dir}/state")
    attempt(tmp_path, saves, until=1)
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state").write_text("half writ")
    assert attempt(tmp_path, saves) == [2, 3, 4]


def test_a_program_that_has_saved_nothing_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state").write_text("half writ")
    saves = program("{checkpoint_dir}", "{resume}")
    assert attempt(tmp_path, saves, until=1) == [1]


def test_counted_steps_go_on_from_the_checkpoint(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "for at in range(2):\n"
        "    open(sys.argv[1] + '/x', 'a').write('x'); print('{\"loss\": 1}', flush=True); time.sleep(0.2)"
    )
    counts = python(code, "{checkpoint_dir}")
    assert attempt(tmp_path, counts) == [1, 2]
    assert attempt(tmp_path, counts) == [3, 4]
    assert (restored(tmp_path)["path"] / "x").read_text() == "xxxx"


def test_a_checkpoint_that_cannot_be_copied_is_said_and_the_trial_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import os, sys; os.symlink('/etc/passwd', sys.argv[1] + '/out'); print('{\"loss\": 1}')"
    assert attempt(tmp_path, python(code, "{checkpoint_dir}")) == [1]
    assert "the checkpoint of step 1 cannot be copied" in capsys.readouterr().err


SLOW = """
import json, pathlib, sys, time
directory = pathlib.Path(sys.argv[1])
log = open(directory / "log", "w")  # open all the time
for epoch in range(1, 4):
    with open(directory / "state", "w") as state:
        state.write("half ")
        state.flush()
        print(json.dumps({"epoch": epoch, "loss": 1}), flush=True)  # while it saves, as with a save in the background
        time.sleep(0.5)
        state.write("whole")
    time.sleep(2)
"""


def test_a_file_that_is_being_written_is_waited_for_and_one_that_stays_open_is_not(tmp_path: Path) -> None:
    for until in (1, 2):
        assert attempt(tmp_path / str(until), python(SLOW, "{checkpoint_dir}"), until=until)[-1] == until
        copy = restored(tmp_path / str(until))["path"]
        assert (copy / "state").read_text() == "half whole"
        assert (copy / "log").exists()


SAVES_ALL_THE_TIME = """
import json, pathlib, subprocess, sys
for _ in range(3):  # a busy machine
    subprocess.Popen([sys.executable, "-c", "while True: pass"])
for step in range(1, 10**9):
    pathlib.Path(sys.argv[1], "state").write_text(f"{step:20000}")
    print(json.dumps({"step": step, "loss": 1}), flush=True)
"""


def test_copies_of_a_program_that_is_quick_are_whole_and_of_the_step_that_they_name(tmp_path: Path) -> None:
    copies: dict[int, str] = {}

    def sink(report: Report) -> None:
        found = Trial(config={}, directory=tmp_path).restore()
        if found is not None:
            copies.setdefault(found["step"], (found["path"] / "state").read_text())
        if len(copies) == 20:
            raise TrialEnded

    trial = Trial(config={}, directory=tmp_path, sink=sink)
    with pytest.raises(TrialEnded):
        python(SAVES_ALL_THE_TIME, "{checkpoint_dir}", grace_s=0.1)(trial.config, trial)
    assert {len(text) for text in copies.values()} == {20_000}
    assert {int(text) - step for step, text in copies.items()} <= {0, 1}, "1: saved, and about to be printed"


ENDS_AT_ONCE = """
import json, pathlib, sys
saved = pathlib.Path(sys.argv[1], "state")
for epoch in range(int(saved.read_text()) + 1 if saved.exists() else 1, 5):
    saved.write_text(str(epoch))
    print(json.dumps({"epoch": epoch, "loss": 9 - epoch}), flush=True)
"""


def test_a_program_that_has_nothing_left_to_train_has_completed(tmp_path: Path) -> None:
    quick = python(ENDS_AT_ONCE, "{checkpoint_dir}")
    assert attempt(tmp_path, quick) == [1, 2, 3, 4]
    assert attempt(tmp_path, quick) == []
    assert restored(tmp_path)["step"] == 4
