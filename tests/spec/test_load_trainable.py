"""How a trainable is found, and the name of a sweep whose spec has none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator.records.paths import claim
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import load
from orchestrator.spec.source import Source


def _source(trainable: str, file: Path | None = None, **more: object) -> Source:
    spec = {"trainable": trainable, "space": {"x": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}, **more}
    return Source(spec=parse_spec(spec, base=Path()), text=b"", base=Path(), declaration=None, file=file)


def _train_in_a_closure() -> object:
    def train(config: object, trial: object) -> None: ...

    return train


@pytest.mark.parametrize(
    ("trainable", "name"),
    [
        ("tabular", "tabular"),
        ("train.py:fit", "train"),
        ("project.models:fit", "fit"),
        ("my train.py:fit", "my-train"),
        ("größe.py:fit", "gr-e"),
        ("--.py:fit", "sweep"),
    ],
)
def test_a_sweep_without_name_or_file_is_called_after_its_trainable(trainable: str, name: str, tmp_path: Path) -> None:
    source = _source(trainable)
    assert source.name == name
    assert claim(tmp_path, source.name).root.is_dir()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("specs/02_churn.yaml", "02_churn"),
        ("lr.sweep.yml", "lr.sweep"),
        ("größe 1.yaml", "gr-e-1"),
        ("_.yaml", "sweep"),
        (f"{'long' * 40}.yaml", "long" * 25),
    ],
)
def test_a_spec_without_a_name_is_called_after_its_file(file: str, name: str, tmp_path: Path) -> None:
    source = _source("train.py:fit", Path(file))
    assert source.name == name
    assert claim(tmp_path, source.name).root.is_dir()


def test_the_name_in_the_spec_comes_first() -> None:
    assert _source("tabular", Path("other.yaml"), name="churn").name == "churn"


def test_a_module_that_replaces_the_streams_does_not_replace_ours(tmp_path: Path) -> None:
    (tmp_path / "replaces_streams.py").write_text(
        "import sys\nsys.stdout = sys.stderr = object()\ndef train(config, trial): ..."
    )
    streams = sys.stdout, sys.stderr
    load("replaces_streams.py:train", tmp_path)
    assert (sys.stdout, sys.stderr) == streams
