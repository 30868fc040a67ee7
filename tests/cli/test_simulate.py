"""simulate: a recorded sweep under other settings, and a spec, beside what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis.what_if.progress import most_at_once
from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


@pytest.fixture
def recorded(sweep: Sweep, tmp_path: Path) -> Sweep:
    record(tmp_path / "results", name="first", budget={"trials": 40})
    return sweep


def answer(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    return {"columns": {each["column"]: each for each in found["columns"]}, "remarks": found["remarks"]}


def test_as_it_was(recorded: Sweep) -> None:
    """One trial after the other: the simulated sweeps take as long as the recorded one, and find as much."""
    columns = answer(recorded("simulate", "first", "--json"))["columns"]
    assert columns.keys() == {"recorded", "same"}
    was, is_ = columns["recorded"], columns["same"]
    assert was["workers"] == is_["workers"] == 1
    assert len(is_["seconds"]) == 5
    assert was["seconds"][0] == pytest.approx(is_["seconds"][0], rel=0.3)
    assert was["rows"][-1]["trials"] == is_["rows"][-1]["trials"] == 40
    assert is_["rows"][-1]["best"] == pytest.approx(was["rows"][-1]["best"], rel=0.5)
    found = [row["best"] for row in is_["rows"] if row["best"] is not None]
    assert found == sorted(found, reverse=True)


def test_with_more_workers_it_ends_sooner(recorded: Sweep) -> None:
    columns = answer(recorded("simulate", "first", "--workers", 8, "--seeds", 2, "--json"))["columns"]
    assert columns["changed"]["workers"] == 8
    assert max(columns["changed"]["seconds"]) < min(columns["same"]["seconds"]) / 3


def test_with_other_settings(recorded: Sweep) -> None:
    ran = recorded("simulate", "first", "--set", "budget.trials=10", "--set", "scheduler={method: none}")
    assert ran.code == 0, ran.err
    assert "first with budget.trials=10, scheduler={method: none}: loss over time" in ran.out
    assert "as asked: 1 trial at once, ended after" in ran.out
    assert "of the simulated trials have a recorded configuration" in ran.out
    assert "recorded results of loss came out off by" in ran.out
    lines = [line.split() for line in ran.out.splitlines()]
    assert any(line and line[0] == "after" for line in lines)


def test_a_budget_that_ends_it_early_is_said(recorded: Sweep) -> None:
    remarks = answer(recorded("simulate", "first", "--set", "budget.hours=0.01", "--json"))["remarks"]
    assert any("as asked, it ends early: the budget of 0.01 hours is used up" in remark for remark in remarks)


def test_trials_pause_only_where_they_saved(recorded: Sweep, tmp_path: Path) -> None:
    said = "the records show no saved state, so no simulated trial pauses"
    assert said in answer(recorded("simulate", "first", "--json"))["remarks"]
    checkpoints = tmp_path / "results" / "first" / "checkpoints" / "3"
    checkpoints.mkdir(parents=True)
    (checkpoints / "last.json").touch()
    assert said not in answer(recorded("simulate", "first", "--json"))["remarks"]


def test_what_it_would_have_learned_from_an_earlier_sweep(recorded: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results", name="before", search={"seed": 5}, budget={"trials": 30})
    with_it = answer(recorded("simulate", "first", "--set", "search={method: auto, from: [before]}", "--json"))
    alone = answer(recorded("simulate", "first", "--set", "search={method: auto}", "--json"))
    assert with_it["columns"]["changed"]["rows"] != alone["columns"]["changed"]["rows"]
    none = recorded("simulate", "first", "--set", "search={method: auto, from: [nowhere]}")
    assert (none.code, "nowhere" in none.err) == (2, True)


def test_what_cannot_be_simulated(recorded: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results", name="tiny", budget={"trials": 2})
    tiny = recorded("simulate", "tiny")
    assert (tiny.code, "fewer than 5 trials with reports of loss" in tiny.err) == (2, True)
    other = recorded("simulate", "first", "--set", "objective.metric=accuracy")
    assert (other.code, "its curves cannot be judged by another metric" in other.err) == (2, True)


SPEC = """
trainable: train.py:train
fixed: {epochs: 27}
space: {lr: {uniform: [0, 1]}}
objective: {metric: loss}
search: {method: random}
scheduler: {method: none}
budget: {trials: 40}
"""


def _write(directory: Path) -> None:
    (directory / "mine.yaml").write_text(SPEC)
    (directory / "train.py").write_text("def train(config, trial):\n    trial.report(step=1, loss=1.0)\n")


def test_a_spec(sweep: Sweep, tmp_path: Path) -> None:
    _write(tmp_path)
    columns = answer(
        sweep("simulate", "mine.yaml", "--step-seconds", 10, "--workers", 4, "--set", "scheduler.method=asha", "--json")
    )["columns"]
    assert columns.keys() == {"same", "changed"}
    assert min(columns["same"]["seconds"]) >= 10 * 270
    assert max(columns["changed"]["seconds"]) < min(columns["same"]["seconds"])
    assert 0 <= columns["changed"]["rows"][-1]["best"] < 0.1
    text = sweep("simulate", "mine.yaml", "--step-seconds", 10).out
    assert "simulated: top share" in text
    assert "a step: 10 s (--step-seconds)" in text


def test_a_spec_without_a_pace(sweep: Sweep, tmp_path: Path) -> None:
    _write(tmp_path)
    ran = sweep("simulate", "mine.yaml")
    assert (ran.code, "give the time of a step by --step-seconds" in ran.err) == (2, True)


def test_how_many_ran_at_once() -> None:
    def ran(*events: tuple[float, int | None, str]) -> int:
        return most_at_once(
            {"at": at, "trial": trial, "event": event, "reason": "began"} for at, trial, event in events
        )

    assert ran() == 1
    assert ran((0, 0, "running"), (1, 1, "running"), (2, 1, "stopped"), (3, 2, "running"), (3, 0, "completed")) == 2
    assert ran((0, 0, "running"), (1, 0, "paused"), (1, 1, "running"), (2, 1, "retry"), (2, 0, "running")) == 1
    assert ran((0, 0, "running"), (9, None, "sweep"), (9, 1, "running")) == 1, "the driver was killed in between"
