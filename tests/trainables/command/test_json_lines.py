from __future__ import annotations

import math

import pytest

from trainables.command.metrics.json_lines import read


def test_nested_objects_join_by_slashes_and_only_numbers_are_taken() -> None:
    line = '{"step": 1, "val": {"loss": 0.5, "per": {"a": 2}}, "name": "x", "ok": true, "all": [1], "none": null}'
    assert read(f"  {line}\n") == {"step": 1, "val/loss": 0.5, "val/per/a": 2}


def test_nan_and_infinities_are_numbers() -> None:
    record = read('{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1' + "0" * 400 + "}")
    assert math.isnan(record["a"])
    assert [record[name] for name in "bcd"] == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize(
    "line", ["", "loss 1", '{"loss": 1', "{1}", "[1]", '{"a": ' * 5000 + "1" + "}" * 5000, "{}", "\0"]
)
def test_other_lines_are_no_records(line: str) -> None:
    assert read(line) == {}
