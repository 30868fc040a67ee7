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
from orchestrator.cli.formats import as_csv, painted
from orchestrator.cli.json_output import as_json
from orchestrator.cli.views.table import aligned, as_table, config_block
from orchestrator.cli.views.text import config_yaml, one_line
from orchestrator.formatting import count, duration, listed

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


def test_lists() -> None:
    assert [listed("abcdefgh"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed("abcdefgh", most=3) == "a, b and 6 others"
    assert listed("abcde") == "a, b, c, d and e"


def test_long_messages_are_cut() -> None:
    assert one_line("a\n  b") == "a b"
    assert one_line("x" * 50, limit=10) == "x" * 9 + "…"


def test_json_has_no_nan() -> None:
    assert json.loads(as_json({"a": [float("nan"), (float("inf"), 1.5)]})) == {"a": [None, [None, 1.5]]}


def test_csv_of_uneven_rows() -> None:
    assert as_csv([{"a": 1, "b": None}, {"a": 2, "c": [1]}]) == "a,b,c\n1,,\n2,,[1]"
    assert as_csv([]) == ""


ROWS = [
    {"trial": 1, "state": "completed", "loss": 0.25, "configuration": {"lr": 0.001, "sizes": [8, 16], "kind": "good"}},
    {"trial": 12, "state": "failed", "loss": None, "configuration": {"lr": 1.0, "sizes": [8], "kind": "bad"}},
]


def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal())


def test_a_piped_table_is_as_wide_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert as_table(ROWS).splitlines() == [
        "trial  state      loss  configuration",
        "    1  completed  0.25  lr=0.001 sizes=[8, 16] kind=good",
        "   12  failed        –  lr=1 sizes=[8] kind=bad",
    ]
    assert as_table([{"n": 1.0, "words": "x" * 500}]).splitlines()[1] == "1  " + "x" * 500
    assert as_table([]) == ""


def test_on_a_terminal_a_configuration_takes_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, 46)
    assert as_table(ROWS).splitlines() == [
        "trial  state      loss  configuration",
        "    1  completed  0.25  lr=0.001 sizes=[8, 16]",
        "                        kind=good",
        "   12  failed        –  lr=1 sizes=[8]",
        "                        kind=bad",
    ]
    assert config_block({"lr": 0.001, "kind": "good", "sizes": [8, 16], "more": "x" * 20}) == (
        "  lr=0.001 kind=good sizes=[8, 16]\n  more=" + "x" * 20
    )


def test_a_long_configuration_is_cut_between_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, 40)
    config = {f"parameter_{number}": number for number in range(9)}
    assert as_table([{"n": 1, "configuration": config}]).splitlines()[1:] == [
        "1  parameter_0=0 parameter_1=1",
        "   parameter_2=2 parameter_3=3",
        "   parameter_4=4 parameter_5=5",
        "   parameter_6=6 parameter_7=7 …",
    ]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_nothing_is_cut_inside_a_word(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal(monkeypatch, columns)
    rows = [
        {"name": "churn", "age": "6 d 8 h", "size": "3.4 GB of 12 GB", "states": "12 completed, 3 failed", "best": 1.5},
        {"name": "  └ next", "age": "12 s", "size": "–", "states": "1 running", "best": None},
    ]
    drawn = as_table(rows, spare=("size",)).splitlines()
    assert all(len(line) <= columns for line in drawn)
    for part in ("churn", "6 d 8 h", "12 completed,", "3 failed", "  └ next", "12 s", "1 running", "1.5", "–"):
        assert any(part in line for line in drawn)
    assert ("3.4 GB" in "".join(drawn)) == (columns >= 60)


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
    assert line == "failed  \x1b[31mfailed\x1b[0m  1"


def test_columns_without_names_have_their_remarks_on_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("idle", "4.0 s", "no trial in the slot"), ("total", "55.7 s", "")]
    assert aligned(rows, right=(1,)).splitlines() == ["idle    4.0 s  no trial in the slot", "total  55.7 s"]
    terminal(monkeypatch, 29)
    assert aligned(rows, right=(1,), indent="  ").splitlines() == [
        "  idle    4.0 s  no trial in",
        "                 the slot",
        "  total  55.7 s",
    ]
    assert aligned([]) == ""
