"""The driver says once that code was edited while the sweep runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.code.files import code_files
from orchestrator.core import events
from orchestrator.driver import code_edits
from orchestrator.driver.code_edits import CodeEdits
from trainables.command.program import Program


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(code_edits, "LOOK_S", 0.0)
    monkeypatch.setattr(code_edits, "EACH_S", 0.0)
    (tmp_path / "train.py").write_text("import model\n")
    (tmp_path / "model.py").write_text("x = 1\n")
    return tmp_path


@pytest.fixture
def edits(base: Path) -> CodeEdits:
    return CodeEdits(code_files("train.py:train", base))


def said(edits: CodeEdits) -> list[str]:
    found = edits.poll(3.0)
    assert all(isinstance(event, events.Noted) and event.at == 3.0 for event in found)
    return [event.text for event in found if isinstance(event, events.Noted)]


def test_an_edit_is_said_once(base: Path, edits: CodeEdits) -> None:
    assert said(edits) == said(edits) == []
    (base / "model.py").write_text("x = 2\n")
    assert said(edits) == ["model.py was edited while the sweep ran; trials kept to the version it was started with"]
    (base / "train.py").write_text("x = 3\n")
    assert said(edits) == []


def test_a_program_reads_its_files_itself(base: Path) -> None:
    program = Program(text="", arguments=("python", "train.py"), objective="loss")
    edits = CodeEdits(code_files(program, base), program=True)
    (base / "model.py").write_text("x = 2\n")
    assert said(edits) == ["model.py was edited while the sweep ran; trials that start from now on run what is there"]


def test_several_files_and_removed_ones(base: Path, edits: CodeEdits) -> None:
    (base / "model.py").unlink()
    (base / "train.py").write_text("def (")
    (text,) = said(edits)
    assert text.startswith("model.py and train.py were edited while")


def test_a_comment_is_no_edit(base: Path, edits: CodeEdits) -> None:
    (base / "model.py").write_text("x = 1  # one\n")
    assert said(edits) == []
    (base / "model.py").write_text("x = 1  # one\ny = 2")
    assert len(said(edits)) == 1


def test_files_that_do_not_change_are_read_once(base: Path, edits: CodeEdits, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(edits) == []
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read again"))
    assert said(edits) == []


def test_a_built_in_has_no_files_to_edit(tmp_path: Path) -> None:
    assert said(CodeEdits(code_files("linear", tmp_path))) == []
