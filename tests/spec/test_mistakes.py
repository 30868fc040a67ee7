"""Mistakes as values for programs: the place, the value, and what would be valid."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from orchestrator.errors import Mistake, SpecError
from orchestrator.spec import read_spec
from orchestrator.spec.load_trainable import declared

SPEC = """\
trainable: tabular
objective: {metric: val_loss, mode: min}
space:
  lr: {loguniform: [1e-4, 1e-1]}
budget:
  trails: 20
  max_failures: -1
"""


def mistakes(tmp_path: Path, text: str, *overrides: str) -> dict[str, Mistake]:
    file = tmp_path / "spec.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_spec(file, overrides=overrides, resolve=declared)
    return {mistake.key: mistake for mistake in caught.value.mistakes}


def test_a_mistake_has_its_place_value_and_choices(tmp_path):
    found = mistakes(tmp_path, SPEC)
    unknown, low = found["budget.trails"], found["budget.max_failures"]
    assert (unknown.place.file, unknown.place.line, unknown.place.column) == (str(tmp_path / "spec.yaml"), 6, 3)
    assert (unknown.allowed.nearest, unknown.value) == ("trials", 20)
    assert "hours" in unknown.allowed.choices
    assert (low.place.line, low.value, low.allowed) == (7, -1, "at least 0")


def test_a_mistake_in_an_override_stands_in_the_option(tmp_path):
    place = mistakes(tmp_path, SPEC, "search.metod=tpe")["search.metod"].place
    assert (place.file, place.option, place.argument) == ("", "--set", "search.metod")


def test_a_mistake_that_an_override_brings_into_the_file_names_both(tmp_path):
    place = mistakes(tmp_path, SPEC, "space.lr.loguniform=[0, 1]")["space.lr"].place
    assert (place.line, place.option, place.argument) == (4, "--set", "space.lr.loguniform")


def test_a_syntax_error_has_line_and_column(tmp_path):
    place = mistakes(tmp_path, "trainable: tabular\nspace: {lr: [1, 2}\n")[""].place
    assert (place.line, place.column) == (2, 18)


def test_mistakes_survive_a_process_boundary(tmp_path):
    error = SpecError(tuple(mistakes(tmp_path, SPEC).values()))
    assert pickle.loads(pickle.dumps(error)).mistakes == error.mistakes
