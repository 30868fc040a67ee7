from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from trainables.command.lines import LONGEST, Lines


def lines_of(*chunks: bytes) -> list[str]:
    lines = Lines()
    found = [line for chunk in chunks for line in lines.cut(lines.decoded(chunk))]
    return found + list(lines.cut(lines.decoded(b"", last=True), last=True))


def test_progress_bars_end_their_lines_with_a_carriage_return() -> None:
    assert lines_of(b'10%\r50%\r{"loss": 1}\r\n') == ["10%", "50%", '{"loss": 1}', ""]


def test_a_line_without_an_end_counts_once_the_program_has_ended() -> None:
    assert lines_of(b"a\n", b'{"loss":', b" 1}") == ["a", '{"loss": 1}']


def test_a_line_that_is_too_long_is_dropped_and_the_next_one_is_read() -> None:
    assert lines_of(b"x" * LONGEST, b"xx", b"y\nnext\n") == ["next"]


@given(st.binary(), st.lists(st.integers(0, 50)))
def test_it_does_not_matter_how_the_output_is_cut(output: bytes, cuts: list[int]) -> None:
    chunks, rest = [], output
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    whole = re.split(r"[\r\n]", output.decode(errors="replace"))
    assert lines_of(*chunks, rest) == (whole if whole[-1] else whole[:-1])
