"""Which trials of earlier sweeps a new one takes over, and why it takes none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.analysis.earlier.reusable import Reusable, offered_trainings, reusable_trainings
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Origin
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json, write_sweep_json
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.source import Source

SPEC: dict[str, Any] = {
    "name": "dup",
    "trainable": "train_reuse.py:train",
    "fixed": {"epochs": 9},
    "space": {"x": {"uniform": [0, 1]}},
    "objective": {"metric": "loss"},
    "search": {"method": "random", "seed": 1},
    "scheduler": {"method": "asha", "variant": "stop", "grace_period": 1},
    "budget": {"trials": 20},
}


def curve(config: dict[str, Any]) -> Mapping[str, list[float]]:
    """Above 0.8 a training fails, below 0.25 it diverges at its second step."""
    if config["x"] > 0.8:
        raise ValueError("too large")
    losses = [abs(config["x"] - 0.3) + 1 / step for step in range(1, 10)]
    return {
        "elapsed": [float(step) for step in range(1, 10)],
        "loss": [losses[0], float("nan"), *losses[2:]] if config["x"] < 0.25 else losses,
    }


def source(base: Path, **changes: Any) -> Source:
    return Source(spec=parse_spec({**SPEC, **changes}, base=base), text=b"", base=base, declaration=None)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "train_reuse.py").write_text("def train(config, trial): pass\n")
    orchestrator.simulate_sweep(SPEC, curve, results=tmp_path / "results")
    found = source(tmp_path)
    rewrite(tmp_path / "results", fingerprints=fingerprints(found.code, found.spec, None, tmp_path))
    return tmp_path / "results"


def rewrite(results: Path, **changes: Any) -> SweepInfo:
    paths = SweepPaths(results / "dup")
    info = dataclasses.replace(read_sweep_json(paths.info), **changes)
    write_sweep_json(paths.info, info)
    return info


def reusable(results: Path, **changes: Any) -> Reusable:
    return reusable_trainings(source(results.parent, **changes), results)


def test_completed_and_diverged_trials_are_taken_over(results: Path) -> None:
    found = reusable(results)
    rows = {row["trial"]: row for row in trials_table(SweepPaths(results / "dup")).to_pylist()}
    finished = {number for number, row in rows.items() if row["state"] in ("completed", "diverged")}
    assert {each.trial for each in found.trainings.values()} == finished
    assert {row["state"] for row in rows.values()} >= {"completed", "diverged", "stopped", "failed"}
    assert all(each.reports for each in found.trainings.values())
    sweep = build_sweep(source(results.parent).spec, None, trainings=found.trainings)
    for _ in range(20):
        sweep.ask(0.0)
    assert {trial.number for trial in sweep.trials if trial.origin is Origin.REUSED} == finished
    (note,) = found.notes
    assert note.startswith(f"dup has {len(finished)} finished trials: those with a configuration and a seed")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fixed": {"epochs": 8}}, "epochs was 9 and is 8"),
        ({"objective": {"metric": "loss", "mode": "max"}}, "its objective is loss (min), not loss (max)"),
        ({"objective": {"metric": "loss", "diverged_above": 5}}, "objective.diverged_above was not set and is 5"),
        ({"scheduler": {"method": "none", "max": 5}}, "scheduler.max was not set and is 5"),
        ({"trial": {"max_time": 60}}, "trial.max_time was not set and is 60"),
    ],
)
def test_what_another_spec_changes(results: Path, changes: dict[str, Any], why: str) -> None:
    found = reusable(results, **changes)
    assert not found.trainings
    assert found.notes == (f"takes nothing over from dup: {why}",)


def test_other_code_takes_nothing_over(results: Path) -> None:
    (results.parent / "train_reuse.py").write_text("def train(config, trial): return 1\n")
    assert reusable(results).notes == ("takes nothing over from dup: the code of the trainable has changed",)
    assert not reusable(results).trainings
    rewrite(results, given="memory")
    assert reusable(results).notes[0].endswith("given from Python, and what that held is not recorded")
    rewrite(results, fingerprints={}, given=None)
    assert reusable(results).notes == ("takes nothing over from dup: the code of the trainable is not recorded",)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"changed": ["train_reuse.py"]}, "it was resumed with other code or data"),
        ({"changed": [], "full_length_before": 5}, "its trainings were made longer by a resume"),
    ],
)
def test_after_some_resumes_nothing_is_certain(results: Path, entry: dict[str, Any], why: str) -> None:
    rewrite(results, resumed=[entry])
    assert reusable(results).notes == (f"takes nothing over from dup: {why}",)


def test_other_trainables_and_damaged_sweeps_are_passed_over(results: Path) -> None:
    assert reusable(results, trainable="other.py:train") == Reusable()
    for file in (results / "dup" / "metrics").iterdir():
        file.write_bytes(b"damaged")
    assert reusable(results) == Reusable()
    (results / "dup" / "sweep.json").write_bytes(b"{")
    assert reusable(results) == Reusable()
    assert reusable_trainings(source(results.parent), results / "missing") == Reusable()


def test_what_a_function_from_python_holds_is_not_known(results: Path) -> None:
    given = dataclasses.replace(source(results.parent), function=lambda config, trial: None)
    assert reusable_trainings(given, results) == offered_trainings(given, results, ()) == Reusable()


def test_the_offer(results: Path) -> None:
    def offer(**changes: Any) -> tuple[str, ...]:
        spec_file = results.parent / "dup.yaml"
        found = offered_trainings(replace(source(results.parent, **changes), file=spec_file), results, ())
        assert not found.trainings
        return found.notes

    said = ("dup has finished trials that this sweep trains again; sweep launch --reuse takes them over",)
    assert offer() == said
    assert offer(budget={"trials": 40}) == said
    assert offer(name="other") == ()
    assert offer(search={"method": "random", "seed": 2}) == ()
    assert offer(space={"x": {"uniform": [0, 2]}}) == ()
    assert offer(fixed={"epochs": 8}) == ()
    assert offered_trainings(source(results.parent), results, ()) == Reusable(), "a program wrote its spec"
