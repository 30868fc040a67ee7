"""Values and specs as YAML: reading gives back what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml as yaml_1_1
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Place
from orchestrator.formatting import yaml
from orchestrator.space.values import MAX_INT
from orchestrator.spec import parse_spec, read_spec
from orchestrator.spec.writing import spec_yaml
from orchestrator.yaml.document import Document
from orchestrator.yaml.reader import read_value
from tests.space.spaces import specs

ROOT = Path(__file__).resolve().parents[2]
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-MAX_INT, MAX_INT), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8)


def read(text: str) -> Any:
    """As our own reader does, which takes YAML 1.2."""
    document = Document(data={}, places={(): Place(file="test")})
    value = read_value(document, ("fixed",), text)
    assert not document.mistakes
    return value


@given(values, st.booleans())
def test_a_value_is_read_back(value: Any, quoted: bool) -> None:
    assert read(yaml(value, quoted=quoted)) == value
    assert yaml(read(yaml(value))) == yaml(value)  # the types, too


@given(st.one_of(scalars, st.lists(scalars)))
def test_also_by_readers_of_yaml_1_1(value: Any) -> None:
    assert yaml_1_1.safe_load(yaml(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-5, "1.0e-05"),
        (0.1, "0.1"),
        (["relu", "yes", "a b", 7], '[relu, "yes", "a b", 7]'),
        ({"data": "data/a.csv", "train": "train.py:train"}, "{data: data/a.csv, train: train.py:train}"),
        ("12:30", '"12:30"'),
        ("../data/a.csv", "../data/a.csv"),
    ],
)
def test_it_looks_as_if_somebody_had_written_it(value: Any, text: str) -> None:
    assert yaml(value) == text


@given(specs())
def test_a_spec_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    spec = parse_spec(data, base=Path())
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(spec_yaml(spec))
    assert read_spec(path) == spec


@pytest.mark.parametrize("name", ["01_learning_rate.yaml", "02_churn.yaml"])
def test_the_examples_are_read_back(name: str, tmp_path: Path) -> None:
    spec = read_spec(ROOT / "examples" / name)
    (tmp_path / name).write_text(spec_yaml(spec))
    assert read_spec(tmp_path / name) == spec


def test_the_search_space_is_a_line_a_parameter() -> None:
    spec = parse_spec(
        {
            "trainable": "train.py:train",
            "space": {"kind": {"choice": ["a", "b"]}, "x": {"uniform": [0, 1], "when": "kind == 'a'"}},
            "constraints": ["kind == 'a' or True"],
            "objective": {"metric": "loss"},
            "search": {"method": "list", "configs": [{"kind": "b"}, {"kind": "a", "x": 1}]},
            "scheduler": {},
        },
        base=Path(),
    )
    assert spec_yaml(spec) == (
        "trainable: train.py:train\n"
        "space:\n"
        "  kind: {choice: [a, b]}\n"
        "  x: {uniform: [0.0, 1.0], when: \"kind == 'a'\"}\n"
        "constraints:\n"
        "  - \"kind == 'a' or True\"\n"
        "objective:\n"
        "  metric: loss\n"
        "search:\n"
        "  method: list\n"
        "  configs:\n"
        "    - {kind: b}\n"
        "    - {kind: a, x: 1.0}\n"
        "scheduler: {}\n"
    )
