"""What a new sweep learns from earlier ones: what fits, what is comparable, and what it says of both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.analysis.earlier.differences import Differences
from orchestrator.analysis.earlier.saved import save_earlier, saved_earlier
from orchestrator.analysis.earlier.take import Taken, take_earlier
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Origin
from orchestrator.core.search import Outcome
from orchestrator.errors import NoSuchSweepError, RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.spec import parse_spec
from orchestrator.spec.source import Source

SPEC: dict[str, Any] = {
    "name": "old",
    "trainable": "mine:train",
    "fixed": {"epochs": 9, "width": 32},
    "space": {"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}},
    "objective": {"metric": "loss"},
    "search": {"method": "random", "seed": 1},
    "scheduler": {"method": "asha", "variant": "stop", "grace_period": 1, "max": 9},
    "budget": {"trials": 30},
}


def curve(config: dict[str, Any]) -> Mapping[str, list[float]]:
    """The best x is 0.3; above 0.9 a training fails, below 0.1 it diverges at once."""
    if config["x"] > 0.9:
        raise ValueError("too large")
    losses = [abs(config["x"] - 0.3) + 1 / step for step in range(1, 10)]
    return {
        "elapsed": [float(step) for step in range(1, 10)],
        "loss": [float("nan"), *losses[1:]] if config["x"] < 0.1 else losses,
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    orchestrator.simulate_sweep(SPEC, curve, results=tmp_path / "results")
    return tmp_path / "results"


SECONDS = {"method": "asha", "variant": "stop", "unit": "seconds", "grace_period": 1}


@pytest.mark.parametrize("before", [SPEC["scheduler"], {**SECONDS, "max": 9}])
@pytest.mark.parametrize(("now", "ends"), [({**SECONDS, "max": 6}, {1, 3, 6}), ({**SECONDS, "max": 20}, {1, 3, 9})])
def test_values_are_told_by_the_seconds_of_the_new_rungs(
    tmp_path: Path, before: dict[str, Any], now: dict[str, Any], ends: set[int]
) -> None:
    """Steps take a second. A training that was longer than a full one is now counts as full."""
    orchestrator.simulate_sweep({**SPEC, "scheduler": before}, curve, results=tmp_path / "results")
    (earlier,) = take_earlier(source(tmp_path, scheduler=now), tmp_path / "results").earlier
    assert earlier.comparable
    last = {trial.values[-1][0] for trial in earlier.trials if trial.outcome in (Outcome.STOPPED, Outcome.COMPLETED)}
    assert last <= ends
    assert max(last) == max(ends)
    sweep = build_sweep(source(tmp_path, scheduler=now).spec, None, earlier=[earlier])
    assert sweep.ask(0.0) is not None


def source(base: Path, **changes: Any) -> Source:
    data = {**SPEC, "name": "new", "search": {"method": "tpe", "from": ["old"]}} | changes
    return Source(spec=parse_spec(data, base=base), text=b"", base=base, declaration=None)


def taken(results: Path, **changes: Any) -> Taken:
    return take_earlier(source(results.parent, **changes), results)


def test_of_the_same_sweep_everything_is_taken(results: Path) -> None:
    found = taken(results)
    assert found.notes == ("learns from old: 30 of 30 trials",)
    (earlier,) = found.earlier
    assert (earlier.sweep, earlier.comparable, len(earlier.trials)) == ("old", True, 30)
    assert {each.outcome for each in earlier.trials} == {
        Outcome.STOPPED, Outcome.COMPLETED, Outcome.DIVERGED, Outcome.FAILED
    }  # fmt: skip
    for each in earlier.trials:
        x = each.config["x"]
        assert (each.outcome is Outcome.FAILED) == (x > 0.9)
        assert each.values == tuple((step, pytest.approx(abs(x - 0.3) + 1 / step)) for step, _ in each.values)
        if each.outcome is Outcome.COMPLETED:
            assert [step for step, _ in each.values] == [1, 3, 9]
            assert each.train_s == 9


def test_a_directory_beside_the_spec_is_a_sweep_too(results: Path) -> None:
    shutil.move(results / "old", results.parent / "moved")
    by_path = source(results.parent, search={"method": "tpe", "from": ["moved"]})
    assert take_earlier(by_path, results).notes == ("learns from moved: 30 of 30 trials",)
    with pytest.raises(NoSuchSweepError):
        taken(results)


def test_what_lies_outside_the_new_space_is_left_out_and_counted(results: Path) -> None:
    found = taken(results, space={"x": {"uniform": [0, 0.5]}, "kind": {"choice": ["a"]}}, constraints=["x > 0.2"])
    (earlier,) = found.earlier
    assert earlier.trials
    assert all(0.2 < each.config["x"] <= 0.5 and each.config["kind"] == "a" for each in earlier.trials)
    left = 30 - len(earlier.trials)
    assert found.notes == (f"learns from old: {30 - left} of 30 trials (left out: {left} outside the space)",)


def test_a_parameter_that_was_fixed_has_its_value(results: Path) -> None:
    space = {**SPEC["space"], "width": {"logint": [16, 64]}}
    (earlier,) = taken(results, space=space, fixed={"epochs": 9}).earlier
    assert earlier.comparable
    assert {each.config["width"] for each in earlier.trials} == {32}
    elsewhere = taken(results, space={**space, "width": {"logint": [64, 256]}}, fixed={"epochs": 9})
    assert elsewhere.earlier == ()
    assert elsewhere.notes == ("learns nothing from old: none of its 30 trials fits (left out: 30 outside the space)",)


def test_a_parameter_that_was_unknown_leaves_nothing(results: Path) -> None:
    found = taken(results, space={**SPEC["space"], "decay": {"uniform": [0, 1]}})
    assert found.notes == ("learns nothing from old: none of its 30 trials fits (left out: 30 without a known decay)",)


def test_a_condition_decides_what_a_configuration_needs(results: Path) -> None:
    found = taken(results, space={**SPEC["space"], "decay": {"uniform": [0, 1], "when": "kind == 'a'"}})
    assert {each.config["kind"] for earlier in found.earlier for each in earlier.trials} == {"b"}


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"fixed": {"epochs": 9, "width": 64}}, "begins with the best 3 of 30 trials, because width was 32 and is 64"),
        ({"fixed": {"epochs": 8, "width": 64}, "scheduler": {"max": 8}},
         "begins with the best 3 of 30 trials, because epochs was 9 and is 8 and width was 32 and is 64"),
    ],
)  # fmt: skip
def test_with_other_fixed_values_the_best_are_tried(results: Path, changes: dict[str, Any], note: str) -> None:
    found = taken(results, **changes)
    assert [each.comparable for each in found.earlier] == [False]
    assert found.notes == (f"learns from old: {note}",)
    sweep = build_sweep(source(results.parent, **changes).spec, None, earlier=found.earlier)
    first = [start.config["x"] for start in (sweep.ask(0.0) for _ in range(3)) if start is not None]
    there = [abs(each.config["x"] - 0.3) for each in found.earlier[0].trials if each.outcome is Outcome.COMPLETED]
    assert [abs(x - 0.3) for x in first] == sorted(there)[:3]
    assert [trial.origin for trial in sweep.trials] == [Origin.START] * 3


def test_a_parameter_that_is_fixed_now_is_comparable_where_it_had_the_value(results: Path) -> None:
    found = taken(results, space={"x": {"uniform": [0, 1]}}, fixed={"epochs": 9, "width": 32, "kind": "a"})
    comparable = {each.comparable: len(each.trials) for each in found.earlier}
    assert sum(comparable.values()) == 30
    assert min(comparable.values()) > 5
    assert found.notes == (
        f"learns from old: {comparable[True]} of 30 trials; begins with the best 3 of {comparable[False]} more,"
        " because a value that is fixed now was another",
    )
    assert all(each.config.keys() == {"x"} for earlier in found.earlier for each in earlier.trials)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"objective": {"metric": "loss", "mode": "max"}}, "its objective is loss (min), not loss (max)"),
        ({"objective": {"metric": "error"}}, "its objective is loss (min), not error (min)"),
        ({"trainable": "yours:learn"}, "it trained mine:train, not yours:learn"),
    ],
)
def test_nothing_is_taken_for_another_objective_or_trainable(results: Path, changes: dict[str, Any], why: str) -> None:
    assert taken(results, **changes) == Taken(notes=(f"learns nothing from old: {why}",))


def test_with_changed_code_the_best_are_tried(results: Path) -> None:
    (results.parent / "train_here.py").write_text("def train(config, trial): ...\n")
    info = json.loads((results / "old" / "sweep.json").read_text())
    info |= {"trainable": "train_here.py:train", "fingerprints": {"train_here.py": "code sha256 of another"}}
    (results / "old" / "sweep.json").write_text(json.dumps(info))
    found = taken(results, trainable="train_here.py:train")
    assert found.notes == (
        "learns from old: begins with the best 3 of 30 trials, because the code of the trainable has changed",
    )


@pytest.mark.parametrize(
    ("before", "now", "reasons"),
    [
        ({"data a.csv": "sha256 1"}, {"data a.csv": "sha256 1"}, []),
        ({"data a.csv": "sha256 1"}, {"data a.csv": "sha256 2"}, ["the content of a.csv has changed"]),
        ({"data a.csv": "sha256 1"}, {"data ../a.csv": "sha256 1"}, []),
        ({"data a.csv": "sha256 1"}, {"data b.csv": "sha256 2"}, ["data was a.csv and is b.csv"]),
        ({}, {"data b.csv": "sha256 2"}, ["data was a.csv and is b.csv"]),
    ],
)
def test_files_are_the_same_if_their_contents_are(
    results: Path, before: dict[str, str], now: dict[str, str], reasons: list[str]
) -> None:
    info = read_sweep_json(results / "old" / "sweep.json")
    info.spec["fixed"]["data"] = "a.csv"
    path = next(iter(now)).removeprefix("data ")
    new = source(results.parent, fixed={**SPEC["fixed"], "data": path})
    assert Differences(before=replace(info, fingerprints=before), source=new, now=now).mild == reasons


def test_tpe_proposes_better_from_its_first_trial_on(results: Path) -> None:
    with_earlier, without = (
        build_sweep(source(results.parent).spec, None, earlier=earlier) for earlier in (taken(results).earlier, ())
    )
    starts = [[sweep.ask(0.0) for _ in range(8)] for sweep in (with_earlier, without)]
    knows, guesses = (sum(abs(start.config["x"] - 0.3) for start in each if start is not None) for each in starts)
    assert knows < 0.7 * guesses


def test_what_was_taken_is_kept_beside_the_records(results: Path) -> None:
    found, paths = taken(results), SweepPaths(results / "new")
    paths.root.mkdir()
    assert saved_earlier(paths) == ()
    save_earlier(paths, found.earlier)
    shutil.rmtree(results / "old")
    assert saved_earlier(paths) == found.earlier
    paths.earlier.write_text('[{"sweep": 1}]')
    with pytest.raises(RecordsError, match=r"earlier\.json cannot be read"):
        saved_earlier(paths)


def test_a_simulated_sweep_learns_as_well(results: Path) -> None:
    new = {**SPEC, "name": "new", "search": {"method": "tpe", "from": ["old"]}, "budget": {"trials": 6}}
    sweep = orchestrator.simulate_sweep(new, curve, results=results)
    alone = orchestrator.simulate_sweep(new | {"search": {"method": "tpe"}}, curve, results=results)
    assert sweep.best.objective < alone.best.objective
