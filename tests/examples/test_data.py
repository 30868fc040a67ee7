"""The data of the examples: scripts write what is there, and every spec fits its data."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestrator.cli.app import main
from orchestrator.spec import read_spec
from orchestrator.spec.load_trainable import known

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["lesson", "diabetes"])
def test_the_script_writes_the_file_that_is_there(name: str, tmp_path: Path) -> None:
    script = shutil.copy(EXAMPLES / "data" / f"make_{name}.py", tmp_path)
    runpy.run_path(script, run_name="__main__")
    assert (tmp_path / f"{name}.csv").read_bytes() == (EXAMPLES / "data" / f"{name}.csv").read_bytes()


def test_the_images_are_those_of_scikit_learn(tmp_path: Path) -> None:
    script = shutil.copy(EXAMPLES / "data" / "make_images.py", tmp_path)
    runpy.run_path(script, run_name="__main__")
    with np.load(tmp_path / "digits.npz") as made, np.load(EXAMPLES / "data" / "digits.npz") as there:
        assert made.files == there.files
        assert all(np.array_equal(made[name], there[name]) for name in made.files)


def test_the_rows_of_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    script = shutil.copy(EXAMPLES / "data" / "make_digits.py", tmp_path)
    runpy.run_path(script, run_name="__main__")
    made, there = (pd.read_parquet(path / "digits_by_row.parquet") for path in (tmp_path, EXAMPLES / "data"))
    pd.testing.assert_frame_equal(made, there)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_wrong_with_a_spec_and_its_data(path: Path) -> None:
    said: list[str] = []
    spec = read_spec(path, resolve=known, warn=said.append)
    assert spec.name
    assert all("values are missing" in each for each in said)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*_gpu.yaml")), ids=lambda path: path.stem)
def test_a_twin_for_gpus_is_planned_as_its_comment_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = next(line for line in path.read_text().splitlines() if "sweep plan" in line).partition("sweep plan ")[2]
    assert said.startswith(f"examples/{path.name} ")
    assert main(["plan", str(path), *said.split()[1:]]) == 0
    assert "trials" in capsys.readouterr().out
