"""The public names: there, importable, documented."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from docs.python_reference import page
from orchestrator import errors

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python.md"


def test_these_are_the_public_names() -> None:
    assert orchestrator.__all__ == [
        "Hyperparameter",
        "Sweep",
        "Trial",
        "confirm",
        "declare",
        "load",
        "run",
        "simulate_sweep",
    ]
    assert set(orchestrator.__all__) <= set(dir(orchestrator))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        orchestrator.nothing  # noqa: B018


@pytest.mark.parametrize("name", orchestrator.__all__)
def test_each_is_documented(name: str) -> None:
    assert getattr(orchestrator, name).__doc__
    assert f"### `orchestrator.{name}`" in REFERENCE.read_text()


def test_every_error_is_documented() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.SweepError)]
    assert len(kinds) > 10
    for kind in kinds:
        assert f"- `{kind.__name__}` (`{kind.code}`" in REFERENCE.read_text()


def test_every_argument_and_member_is_documented_with_its_type() -> None:
    written = page()
    functions = (
        orchestrator.run,
        orchestrator.confirm,
        orchestrator.load,
        orchestrator.simulate_sweep,
        orchestrator.declare,
    )
    for function in (*functions, orchestrator.Trial.report):
        for parameter in inspect.signature(function).parameters:
            assert parameter == "self" or f"| `{parameter}` | `" in written, parameter
    for kind in (orchestrator.Trial, orchestrator.Sweep):
        for member in (each for each in vars(kind) if not each.startswith("_")):
            assert f"#### `.{member}`" in written, member
    assert "| |  |" not in written
    assert "``" not in written.replace("```", "")


def test_importing_the_package_imports_nothing_slow() -> None:
    code = "import sys, orchestrator; print({'ray', 'torch', 'pandas', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
