"""The releases of Ray that may be installed are those that were tested."""

from __future__ import annotations

import tomllib

import pytest

from cluster.jobs import OLDEST
from cluster.ray_private.versions import REQUIREMENT, TESTED, installed, was_tested
from orchestrator.own_packages import ROOT


def test_pyproject_allows_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    every = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    ray = [each for each in every if each.startswith("ray[")]
    assert len(ray) == 3
    bounds = REQUIREMENT.partition("]")[2]
    assert {each.partition("]")[2] for each in ray} == {bounds}
    first, last = TESTED[0], TESTED[-1]
    major, minor = last.split(".")
    assert bounds == f">={first},<{major}.{int(minor) + 1}"
    assert ".".join(map(str, OLDEST)) == first


@pytest.mark.parametrize(
    ("version", "expected"), [("2.60.0", True), ("2.60.3", True), ("2.61.0", False), ("2.6", False), ("", False)]
)
def test_a_version_is_tested_by_its_release(version: str, expected: bool) -> None:
    assert was_tested(version) is expected


def test_this_ray_is_tested() -> None:
    assert was_tested(installed())
