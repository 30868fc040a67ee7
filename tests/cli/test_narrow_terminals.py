"""Answers on narrow terminals: lines break between words, and no name, number, path or command is ever cut."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli.wrapping import wrapped
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import record

NAMES = [
    "optimizer",
    "label_smoothing_of_the_head",
    "weight_decay_after_warmup",
    *(f"augmentation_{n}" for n in range(9)),
]
ANSI = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")
STYLED = "\x1b[31merror: \x1b[0mthe first \x1b[1mbold words\x1b[0m of a sentence"


@given(
    st.lists(st.text("abc日", min_size=1, max_size=12), min_size=1, max_size=30), st.integers(0, 4), st.integers(8, 40)
)
def test_lines_fit_and_keep_their_words(words: list[str], indent: int, width: int) -> None:
    from rich.cells import cell_len

    lines = wrapped(" " * indent + "  ".join(words), width).split("\n")
    assert " ".join(lines).split() == words
    assert all(cell_len(line) <= width or len(line.split()) == 1 for line in lines)


def test_what_fits_stays_as_it_is() -> None:
    text = "a  table   of\n  columns\n\n" + "日" * 10
    assert wrapped(text, 20) == text
    assert wrapped("x" * 50, 20) == "x" * 50
    assert wrapped(STYLED, sys.maxsize) == STYLED
    assert ANSI.sub("", wrapped(STYLED, 20)).split("\n") == ["error: the first", "  bold words of a", "  sentence"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A sweep of many parameters with long names."""
    space = {
        "lr": {"loguniform": [1e-6, 1e-1]},
        "kind": {"choice": ["good", "bad", "wild"]},
        **{name: {"uniform": [0, 1]} for name in NAMES},
    }
    name = "a-sweep-with-a-name-that-is-as-long-as-names-become"
    return record(tmp_path_factory.mktemp("narrow") / "results", name=name, space=space)


def on_terminal(directory: Path, columns: int, *words: str) -> str:
    """What a command prints on a terminal of so many columns, without its colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "SWEEP_RESULTS")}
    program = [sys.executable, "-m", "orchestrator", *words]
    process = subprocess.Popen(program, cwd=directory, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # how Linux ends it
        pass
    process.wait(timeout=60)
    os.close(ours)
    return ANSI.sub("", seen.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("columns", "words"),
    [(80, ["show"]), (60, ["show"]), (60, ["ls"]), (60, ["show", "--diagnosis", "--failures"]), (60, ["logs", "99"])],
)
def test_nothing_is_cut(paths: SweepPaths, columns: int, words: list[str]) -> None:
    directory = paths.root.parents[1]
    piped = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words], cwd=directory, capture_output=True, text=True, timeout=60
    )
    whole = {*piped.stdout.split(), *piped.stderr.split()}
    told = on_terminal(directory, columns, *words)
    lines = told.rstrip("\n").split("\n")
    assert all(len(line) <= columns or len(line.split()) == 1 for line in lines), told
    left_out = {word.strip(",") for line in lines if line.startswith("no room for") for word in line.split()}
    unknown = [word for word in told.split() if word not in whole and word != "…" and word.strip(",") not in left_out]
    assert not unknown, told
