"""What is trained when a recorded trial is trained again, and what is said to differ from the record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.after.recorded_code import recorded_code
from orchestrator.after.repro import Repetition, repetition
from orchestrator.cli.views.repro import differences_text
from orchestrator.code.files import code_files
from orchestrator.code.pinned import pin
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State
from orchestrator.errors import CodeChangedError, NoSuchTrialError, UserError
from orchestrator.records.code_copy import write_code
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.spec.fingerprint import fingerprints
from tests.cli.recorded import record, spec

TRAIN = "import repro_part\n\n\ndef train(config, trial):\n    assert repro_part.VALUE == {}\n"


@pytest.fixture(autouse=True)
def unpinned() -> Iterator[None]:
    yield
    pin({})


def recorded(tmp_path: Path, **changes: Any) -> tuple[SweepPaths, SweepInfo]:
    """A recorded sweep of a project, with the copy of its code."""
    (tmp_path / "train_repro.py").write_text(TRAIN.format(1))
    (tmp_path / "repro_part.py").write_text("VALUE = 1\n")
    trainable = "train_repro.py:train"
    paths = record(tmp_path / "results", trainable=trainable, **changes)
    code = code_files(trainable, tmp_path)
    write_code(paths.code, code)
    info = dataclasses.replace(
        read_sweep_json(paths.info),
        directory=str(tmp_path),
        fingerprints=fingerprints(code, spec(trainable=trainable), None, tmp_path),
    )
    return paths, info


def by_state(paths: SweepPaths, state: State) -> dict[str, Any]:
    return next(row for row in trials_table(paths).to_pylist() if row["state"] == state)


def attempted(again: Repetition) -> tuple[dict[str, Any], int]:
    """The configuration and the seed that the repetition trains."""
    sweep = build_sweep(again.source.spec, again.source.declaration)
    start = sweep.ask(0.0)
    assert start is not None
    assert sweep.total == 1
    return start.config, start.seed


@pytest.mark.parametrize("state", [State.COMPLETED, State.STOPPED, State.DIVERGED, State.FAILED])
def test_the_configuration_and_the_seed_are_the_recorded_ones(tmp_path: Path, state: State) -> None:
    scheduler = {"method": "none"} if state is State.COMPLETED else {"method": "asha", "grace_period": 1}
    paths, info = recorded(tmp_path, scheduler=scheduler)
    row = by_state(paths, state)
    again = repetition(paths, info, row["trial"])
    config, seed = attempted(again)
    assert (config["lr"], config["kind"], seed) == (row["config.lr"], row["config.kind"], row["seed"])
    assert again.source.name == f"made-up-repro-{row['trial']}"
    assert again.source.spec.parent == "made-up"
    assert again.source.recorded_code is None
    last = again.source.spec.scheduler and again.source.spec.scheduler.max
    assert last == (row["last_step"] if state is State.STOPPED else None)
    assert again.end == {State.STOPPED: "", State.FAILED: "failed: ValueError"}.get(state, state)


def test_edited_code_is_trained_as_it_was_recorded_unless_asked_otherwise(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    (tmp_path / "repro_part.py").write_text("VALUE = 2\n")
    (tmp_path / "train_repro.py").write_text(TRAIN.format(1) + "# a comment is no change\n")
    again = repetition(paths, info, 0)
    assert again.code.changed == ("repro_part.py",)
    assert "-VALUE = 1\n+VALUE = 2\n" in again.code.diff
    sources = {file.name: file.source for file in again.source.code}
    assert sources["repro_part.py"] == b"VALUE = 1\n"
    again.source.trainable()({}, None)  # imports the recorded module, although another one is on the disk
    text = differences_text(again)
    assert "repro_part.py changed since; this trains the copy beside the records" in text
    current = repetition(paths, info, 0, current_code=True)
    assert current.source.recorded_code is None
    assert "this trains the project's code as it is now" in differences_text(current)


def test_a_file_that_is_gone_comes_from_the_copy(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    (tmp_path / "repro_part.py").unlink()
    again = repetition(paths, info, 0)
    assert again.code.changed == ("repro_part.py",)
    assert "+++ gone" in again.code.diff
    assert [file.name for file in again.source.code] == ["repro_part.py", "train_repro.py"]


@pytest.mark.parametrize("damage", ["missing", "edited"])
def test_without_a_true_copy_changed_code_is_refused(tmp_path: Path, damage: str) -> None:
    paths, info = recorded(tmp_path)
    (tmp_path / "repro_part.py").write_text("VALUE = 2\n")
    copy = paths.code / "repro_part.py"
    copy.unlink() if damage == "missing" else copy.write_text("VALUE = 3\n")
    with pytest.raises(CodeChangedError, match=r"repro_part.py changed .* --current-code"):
        repetition(paths, info, 0)
    assert repetition(paths, info, 0, current_code=True).code.lost == ("repro_part.py",)


def test_files_above_the_directory_of_the_spec(tmp_path: Path) -> None:
    base = tmp_path / "specs"
    base.mkdir()
    (tmp_path / "above.py").write_text("VALUE = 1\n")
    (base / "train_up.py").write_text("def train(config, trial): pass\n")
    paths, info = recorded(tmp_path)
    name = "../above.py"
    code = [dataclasses.replace(file, name=name) for file in code_files("above.py:x", tmp_path)]
    write_code(paths.code, code)
    info = dataclasses.replace(info, trainable="train_up.py:train", fingerprints={name: code[0].fingerprint})
    (tmp_path / "above.py").write_text("VALUE = 2\n")
    found = recorded_code(paths, info, base)
    assert [(file.name, file.path, file.source) for file in found.files] == [
        (name, tmp_path / "above.py", b"VALUE = 1\n")
    ]


def test_what_is_not_as_it_was_is_said(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    info = dataclasses.replace(
        info,
        host="elsewhere",
        versions={**info.versions, "torch": "0.1"},
        fingerprints={**info.fingerprints, "table a.csv": f"sha256 {'ab' * 32}"},
    )
    found = {each.subject: each for each in repetition(paths, info, 0).differences}
    assert set(found) == {"host", "torch", "data table a.csv"}
    assert found["torch"].recorded == "0.1"
    text = differences_text(repetition(paths, info, 0))
    assert "data table a.csv: sha256 abababababab in the record, now not read" in text
    assert repetition(paths, dataclasses.replace(info), 0).remarks == []
    assert json.dumps([dataclasses.asdict(each) for each in found.values()])


def test_a_function_of_a_script_is_had_again_and_must_be_as_it_was(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    (tmp_path / "script.py").write_text("RATE = 1\ndef train(config, trial):\n    return RATE\n1 / 0\n")
    given = dataclasses.replace(info, trainable="script.py:train", given="script", fingerprints={})
    again = repetition(paths, given, 0)
    assert again.source.function is not None
    assert again.source.function({}, None) == 1
    name, fingerprint = again.source.code[0].name, again.source.code[0].fingerprint
    given = dataclasses.replace(given, fingerprints={name: fingerprint})
    assert repetition(paths, given, 0).code.changed == ()
    (tmp_path / "script.py").write_text("RATE = 2\ndef train(config, trial):\n    return RATE\n")
    with pytest.raises(CodeChangedError, match=r"script.py changed"):
        repetition(paths, given, 0)
    assert repetition(paths, given, 0, current_code=True).code.lost == (name,)


def test_a_project_that_is_elsewhere_now(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    gone = dataclasses.replace(info, directory="/nowhere")
    assert repetition(paths, gone, 0, project=tmp_path).source.base == tmp_path


def test_code_of_a_later_resume_is_remarked(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    entry = {"at": "2100-01-01T00:00:00+00:00", "changed": ["repro_part.py"]}
    before = {"at": "2000-01-01T00:00:00+00:00", "changed": ["other.py"]}
    again = repetition(paths, dataclasses.replace(info, resumed=[before, entry]), 0)
    assert again.remarks == ["trial 0 began before a resume with another repro_part.py; the records have only that one"]


def test_what_cannot_be_trained_again(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    with pytest.raises(NoSuchTrialError, match="made-up has no trial 77; it has 12 trials, from 0"):
        repetition(paths, info, 77)
    with pytest.raises(UserError, match="no longer exists"):
        repetition(paths, dataclasses.replace(info, directory="/nowhere"), 0)
    (paths.code / "link.py").symlink_to("/etc/hostname")
    (tmp_path / "repro_part.py").write_text("VALUE = 2\n")
    with pytest.raises(Exception, match=r"cannot read .*link\.py"):
        repetition(paths, info, 0)
