"""The error tree: each class has a code of its own, which does not change behind a program's back."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from pathlib import Path

import pytest

import orchestrator
from orchestrator.cli import json_output
from orchestrator.errors import NoSuchSweepError, SweepError
from orchestrator.suggestions import did_you_mean

AGENTS = Path(__file__).parents[1] / "docs" / "agents.md"


def tree(kind: type[SweepError]) -> list[type[SweepError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in tree(below))]


@pytest.fixture(scope="module")
def kinds() -> list[type[SweepError]]:
    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [kind for kind in tree(SweepError) if kind.__module__.startswith("orchestrator.")]


def test_each_class_has_a_code_of_its_own(kinds: list[type[SweepError]]) -> None:
    codes = [kind.__dict__.get("code", f"none: {kind.__name__}") for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_the_documentation_lists_every_code_with_its_exit_code(kinds: list[type[SweepError]]) -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", AGENTS.read_text(), re.MULTILINE))
    expected = {kind.code: str(kind.exit_code) for kind in kinds} | {json_output.INTERNAL: "1"}
    assert listed == expected


def test_what_is_known_of_an_error_survives_a_process_boundary() -> None:
    error = NoSuchSweepError("no sweep 'a'", value="a", allowed=did_you_mean("a", ["ab"]))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.value, again.allowed) == ("no sweep 'a'", "a", error.allowed)
