"""The best configuration to copy is what `sweep best` prints, and its commands run as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from orchestrator.analysis.report.best import best_config
from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import page
from orchestrator.records.provenance import read_sweep_json
from tests.analysis.report.made import HOSTILE, KINDS, SPACE, made
from tests.analysis.report.test_page import Elements
from tests.cli.conftest import Ran


def test_it_is_what_sweep_best_prints(tmp_path: Path, sweep: Callable[..., Ran]) -> None:
    space = {**SPACE, "optimizer": {"choice": ["sgd", HOSTILE, "yes", "1e-5"]}}
    results = tmp_path / "results of 'mine'"
    paths = made(results, name="odd", trials=12, space={**space, "momentum": SPACE["dropout"]})
    written = Elements(page(collect(paths))).text
    found = best_config(paths, read_sweep_json(paths.info))
    assert found is not None
    (command,) = found.commands
    assert command in written
    *arguments, into, file = shlex.split(command)
    assert (into, file) == (">", "best.yaml")
    ran = sweep(*arguments[1:])
    assert ran.code == 0
    assert yaml.safe_load(ran.out) == found.config
    assert ran.out in written
    assert "No checkpoint: the trainable never called trial.save" in written


def test_its_checkpoint_is_named_where_there_is_one(tmp_path: Path) -> None:
    paths = made(tmp_path, name="kept", trials=5)
    found = best_config(paths, read_sweep_json(paths.info))
    assert found is not None
    directory = paths.checkpoints(found.ranked.trial)
    directory.mkdir(parents=True)
    (directory / "best.json").write_text('{"step": 1}')
    found = best_config(paths, read_sweep_json(paths.info))
    assert found is not None
    assert found.checkpoint == str(directory / "best.json")
    assert [shlex.split(each)[-1] for each in found.commands] == ["best.yaml", "best.json", "--evaluate"]
    assert found.checkpoint in Elements(page(collect(paths))).text


@pytest.mark.parametrize("kind", ["hopeless", "just-started"])
def test_without_a_result_there_is_none(kind: str, tmp_path: Path) -> None:
    paths = KINDS[kind](tmp_path)
    assert best_config(paths, read_sweep_json(paths.info)) is None
    assert "Copy it" not in page(collect(paths))
