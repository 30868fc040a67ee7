"""Text made to fit: nothing is cut inside of what stays together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from orchestrator.cli.views.fitting import fitted, packed, pairs, printable, words

CONFIG = {"lr": 0.01, "sizes": [8, 16], "kind": "good"}
PARTS = st.lists(st.text("abc日 ", min_size=1, max_size=12), max_size=8)


@pytest.mark.parametrize(
    ("width", "lines", "drawn"),
    [
        (80, 1, ["lr=0.01 sizes=[8, 16] kind=good"]),
        (30, 1, ["lr=0.01 sizes=[8, 16] …"]),
        (23, 1, ["lr=0.01 sizes=[8, 16] …"]),
        (22, 1, ["lr=0.01 …"]),
        (20, 2, ["lr=0.01", "sizes=[8, 16] …"]),
        (13, 2, ["lr=0.01", "sizes=[8, 16]"]),
        (13, 3, ["lr=0.01", "sizes=[8, 16]", "kind=good"]),
        (7, 1, ["lr=0.01"]),
        (4, 1, ["lr=…"]),
        (5, 2, ["lr=0.", "01 …"]),
    ],
)
def test_a_configuration_is_cut_between_its_pairs(width: int, lines: int, drawn: list[str]) -> None:
    assert [line.plain for line in packed(pairs(CONFIG), width, lines)] == drawn


def test_styles_stay() -> None:
    (line,) = packed([Text("a", "red"), Text("b", "bold")], 10)
    assert [(span.start, span.end, span.style) for span in line.spans] == [(0, 1, "red"), (2, 3, "bold")]


@given(PARTS, st.integers(2, 30), st.integers(1, 4))
def test_packed_is_never_too_wide_and_loses_nothing_in_silence(parts: list[str], width: int, lines: int) -> None:
    drawn = packed([Text(part) for part in parts], width, lines, gap="|")
    assert 1 <= len(drawn) <= lines
    assert all(line.cell_len <= width for line in drawn)
    said = [part for line in drawn for part in line.plain.split("|")]
    if all(Text(part).cell_len <= width for part in parts):
        whole = [part for part in said if part != "…"]
        assert whole == (parts or [""])[: len(whole)]
        assert whole or not parts


@given(PARTS, st.integers(1, 30))
def test_fitted_is_a_beginning(parts: list[str], width: int) -> None:
    drawn = fitted([Text(part) for part in parts], width, gap="|").plain
    assert "|".join(parts).startswith(drawn)
    assert Text(drawn).cell_len <= width


def test_control_characters_are_replaced() -> None:
    assert printable("a\x1b[2J\x9b\n") == "a·[2J··"
    assert [word.plain for word in words(" a \x07b\n")] == ["a", "·b"]
