"""`sweep show`: the summary, one trial and failures, in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, csv_rows

Sweep = Callable[..., Ran]


def test_golden(sweep: Sweep, results: Path) -> None:
    assert sweep("show", "made-up", "--top", 2).out == (
        "made-up  finished  train.py:train, min loss (best of a trial)\n"
        "12 trials: 8 stopped, 2 diverged, 2 failed\n"
        "\n"
        "best: trial 3, loss 1.00002 at step 1\n"
        "  epochs=9 data=data/a.csv lr=1.879e-05 kind=good sizes=[8, 16]\n"
        "\n"
        "trial  state       loss  best step  configuration\n"
        "    3  stopped  1.00002          1  lr=1.879e-05 kind=good sizes=[8, 16]\n"
        "    8  stopped   1.0005          1  lr=0.0005018 kind=wild sizes=[8]\n"
        "\n"
        "rung  entered  went on  stopped  diverged   cutoff\n"
        "   1       12        4        8         0   1.0004\n"
        "   3        2        2        0         0  0.33334\n"
        "\n"
        "2 × ValueError at train.py:7  (trials 0, 1)\n"
        "  no good in trial 0\n"
    )


def test_the_latest_and_why_it_ended(sweep: Sweep, results: Path) -> None:
    out = sweep("show").out
    assert out.startswith("made-up-2  halted")
    assert "interrupted by SIGINT" in out


def test_json_and_csv(sweep: Sweep, results: Path) -> None:
    whole = json.loads(sweep("show", "made-up", "--format", "json").out)
    assert whole["top"][0]["config"]["sizes"] == [8, 16]
    assert [rung["entered"] for rung in whole["rungs"]] == [12, 2]
    best = csv_rows(sweep("show", "made-up", "--format", "csv").out)[0]
    assert (best["trial"], best["config.kind"], best["config.sizes"]) == ("3", "good", "[8, 16]")


def test_failures_by_cause(sweep: Sweep, results: Path) -> None:
    out = sweep("show", "made-up", "--failures").out
    assert out.splitlines()[0] == "2 × ValueError at train.py:7  (trials 0, 1)"
    assert '  File "train.py", line 7, in train' in out
    assert json.loads(sweep("show", "made-up", "--failures", "--format", "json").out)[0]["trials"] == [0, 1]


def test_one_trial(sweep: Sweep, results: Path) -> None:
    out = sweep("show", "made-up", "--trial", 0).out
    assert "reason             ValueError: no good" in out
    assert out.endswith("ValueError: no good\n")
    assert json.loads(sweep("show", "made-up", "--trial", 3, "--format", "json").out)["state"] == "stopped"


@pytest.mark.parametrize("arguments", [("--trial", 99), ("nowhere",), ("m",)])
def test_what_is_not_there(sweep: Sweep, results: Path, arguments: tuple[object, ...]) -> None:
    ran = sweep("show", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
