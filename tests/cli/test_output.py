"""Numbers, times, tables and colours."""

from __future__ import annotations

import io
import json
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli import formats
from orchestrator.cli.formats import as_csv, as_table, painted
from orchestrator.cli.json_output import as_json
from orchestrator.cli.views.text import config_yaml, one_line
from orchestrator.formatting import count, duration

VALUES = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    st.lists(st.integers(0, 512)),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.dictionaries(st.from_regex(r"[a-z_]{3,9}", fullmatch=True), VALUES, min_size=1))
def test_a_configuration_survives_yaml(config: dict[str, object]) -> None:
    assert yaml.safe_load(config_yaml(config)) == config


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.9, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts() -> None:
    assert [count(n, "trial") for n in (0, 1, 1200)] == ["0 trials", "1 trial", "1,200 trials"]


def test_long_messages_are_cut() -> None:
    assert one_line("a\n  b") == "a b"
    assert one_line("x" * 50, limit=10) == "x" * 9 + "…"


def test_json_has_no_nan() -> None:
    assert json.loads(as_json({"a": [float("nan"), (float("inf"), 1.5)]})) == {"a": [None, [None, 1.5]]}


def test_csv_of_uneven_rows() -> None:
    assert as_csv([{"a": 1, "b": None}, {"a": 2, "c": [1]}]) == "a,b,c\n1,,\n2,,[1]"
    assert as_csv([]) == ""


def test_a_table_is_cut_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"n": 1.0, "words": "x" * 50}]
    monkeypatch.setenv("COLUMNS", "20")
    assert len(as_table(rows).splitlines()[1]) > 50
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert as_table(rows).splitlines()[1] == "1  " + "x" * 16 + "…"


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (painted("x", "red", Terminal()) != "x") is coloured
    assert painted("x", "red", io.StringIO()) == "x"
    assert formats.in_colour(Terminal()) is coloured


def test_states_are_coloured_where_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    line = as_table([{"name": "failed", "status": "failed", "n": 1}]).splitlines()[1]
    assert line == f"failed  {painted('failed', 'red', Terminal())}  1"
