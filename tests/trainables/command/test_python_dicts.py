"""Dictionaries of Python on a line: what counts as a number in them, and that nothing of them is run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.command.metrics.python_dicts import read
from trainables.command.metrics.sources import of_line
from trainables.command.output import Output


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("{'eval_loss': 0.5, 'epoch': 1.0}\n", {"eval_loss": 0.5, "epoch": 1.0}),
        # The Trainer of transformers 5 prints numbers as texts.
        ("{'eval_loss': '0.6989', 'eval_runtime': '0:00:00.04', 'epoch': '1'}", {"eval_loss": 0.6989, "epoch": 1}),
        ("{'val': {'acc': np.float64(0.25), 'loss': -1e-3}, 'n': 3}", {"val/acc": 0.25, "val/loss": -1e-3, "n": 3}),
        ("{'loss': tensor(0.5, device='cuda:0'), 'top': array([1, 2]), 'ok': True, 'no': None}", {"loss": 0.5}),
        ("{'a': inf, 'b': -inf, 1: 2, **more}", {"a": math.inf, "b": -math.inf}),
        ("{'loss': open('x', 'w')}", {}),
        ("{'loss': 1 + 1}", {}),
        ("{1, 2}", {}),
        ("{}", {}),
        ("{'loss': 0.5", {}),
        ("{'a': " * 3000 + "1" + "}" * 3000, {}),
        ("{'a': '" + "1" * 30_000 + "'}", {}),
    ],
)
def test_numbers_of_a_line(line: str, record: dict[str, float]) -> None:
    assert read(line) == record


def test_nan_is_a_number() -> None:
    assert math.isnan(read("{'loss': nan}")["loss"])


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.floats(allow_nan=False) | st.integers()))
def test_what_print_writes_is_read_back(record: dict[str, float]) -> None:
    line = repr(record)
    if len(line) < 10_000 and not any("/" in name for name in record):
        assert read(line) == record


def test_json_comes_first() -> None:
    line = of_line(Output())
    assert line('{"loss": 0.5, "text": "1"}') == {"loss": 0.5}, "a text of JSON is a text"
    assert line("{'loss': '0.5'}") == {"loss": 0.5}
