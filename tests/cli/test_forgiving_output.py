"""Printing ends no sweep; an answer that cannot be printed is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.forgiving_output import ForgivingStream, forgiving_output
from orchestrator.cli.formats import say
from orchestrator.cli.live.session_display import SessionDisplay
from tests.cli.recorded import record

SWEEP = f"{sys.executable} -m orchestrator"
TRAIN = """
def train(config, trial):
    for step in range(1, 4):
        trial.report(step=step, loss=config["x"] / step)
"""
SPEC = """
trainable: train.py:train
space: {x: {uniform: [0, 1]}}
objective: {metric: loss}
scheduler: {method: none}
budget: {trials: 3}
"""


def run(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_what_cannot_be_written_is_lost_and_what_can_be_is_not(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        stream = ForgivingStream(full)
        assert stream.write("lost\n") == 5
        with pytest.raises(OSError, match="No space left"):
            stream.write_all("lost\n")
    assert ForgivingStream(full).write("closed\n") == 7
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        assert ForgivingStream(pipe).write("nobody reads it\n") == 16
    with (tmp_path / "out").open("w") as file:
        print("é", file=ForgivingStream(file))
    assert (tmp_path / "out").read_text() == "é\n"


def test_a_session_goes_on_while_nothing_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(sys, "stderr", full)
        with SessionDisplay(name="s"):
            print("lost", flush=True)
            say("lost as well")


def test_output_is_as_it_was_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with forgiving_output():
        print("printed")
        print("said", file=sys.stderr)
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr() == ("printed\n", "said\n")


@pytest.mark.parametrize("words", ["ls", "ls --json", "show made-up", "show made-up --json", "show --events"])
def test_an_answer_that_cannot_be_printed_is_a_sentence(tmp_path: Path, words: str) -> None:
    record(tmp_path / "results")
    ran = run(f"{SWEEP} {words} > /dev/full", tmp_path)
    assert ran.returncode == 1
    assert "the answer cannot be printed: No space left on device" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    record(tmp_path / "results")
    for words in ("ls", "ls --json"):
        ran = run(f"{SWEEP} {words} {closed}", tmp_path)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ("made-up" in ran.stdout) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize("output", ["| head -1", "> /dev/full 2> /dev/full", "<&- >&- 2>&-", "--json > /dev/full"])
@pytest.mark.long
def test_a_launch_comes_to_its_end_without_a_reader(tmp_path: Path, output: str) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "s.yaml").write_text(SPEC)
    ran = run(f"set -o pipefail; {SWEEP} launch s.yaml --name s {output}", tmp_path)
    assert ran.returncode == 0
    assert "3 completed" in run(f"{SWEEP} ls", tmp_path).stdout
