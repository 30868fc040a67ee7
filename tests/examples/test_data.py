"""The data of the examples: scripts write what is there, and every spec fits its data."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from orchestrator.spec import read_spec
from orchestrator.spec.load_trainable import known

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["lesson", "diabetes"])
def test_the_script_writes_the_file_that_is_there(name: str, tmp_path: Path) -> None:
    script = shutil.copy(EXAMPLES / "data" / f"make_{name}.py", tmp_path)
    runpy.run_path(script, run_name="__main__")
    assert (tmp_path / f"{name}.csv").read_bytes() == (EXAMPLES / "data" / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_wrong_with_a_spec_and_its_data(path: Path) -> None:
    spec = read_spec(path, resolve=known, warn=pytest.fail)
    assert spec.name
