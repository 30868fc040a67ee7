"""`sweep plan`: what will happen, where the length comes from, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]


def test_it_says_what_will_happen(sweep: Sweep, spec: Path) -> None:
    ran = sweep("plan", spec, "--trials", 30, "--cpus", 4, "--gpus", 0, "--set", "budget.hours=0.5")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "spec: 30 trials of train.py:train over 3 parameters (auto, seed 0)"
    assert lines[1].startswith("fits here: 4 trials at once, 1 CPU each (")
    assert lines[2] == "length:    a full training has 5 steps (fixed.epochs)"
    assert lines[3].startswith("steps:     about ")
    assert lines[4] == "ceiling:   30 min 00 s"
    assert "rung  trials  continue" in lines
    assert "warning" not in ran.out


@pytest.mark.parametrize(
    ("change", "origin"),
    [
        ("scheduler={max: 5}", "a full training has 5 steps (scheduler.max)"),
        ("fixed=null", "unknown"),
        ("space.epochs={int: [2, 8]}", "a full training has 8 steps (the maximum of space.epochs)"),
    ],
)
def test_it_says_where_the_length_comes_from(sweep: Sweep, spec: Path, change: str, origin: str) -> None:
    fixed = ["--set", "fixed=null"] if change.startswith("space") else []
    ran = sweep("plan", spec, "--set", change, *fixed)
    assert ran.code == 0, ran.err
    assert f"length:    {origin}" in ran.out


def test_the_length_of_a_built_in_is_its_default(sweep: Sweep, spec: Path) -> None:
    text = "trainable: linear\nspace: {lr: {uniform: [0, 1]}}\nobjective: {metric: loss}\n"
    spec.write_text(text)
    ran = sweep("plan", spec)
    assert "100 steps (the default of epochs in linear)" in ran.out


def test_warnings_come_last(sweep: Sweep, spec: Path) -> None:
    assert sweep("plan", spec, "--trials", 3).out.splitlines()[-1].startswith("warning: ")


def test_what_does_not_fit_is_refused(sweep: Sweep, spec: Path) -> None:
    ran = sweep("plan", spec, "--cpus", 2, "--set", "resources.cpu=8")
    assert ran.code == 2
    assert "has 2 of the 8 CPUs" in ran.err
