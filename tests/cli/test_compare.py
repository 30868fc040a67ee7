"""`sweep compare`: only what differs of specs and origins; of what came out, all."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.progress import Progress, progress
from orchestrator.core.rows import EventRow
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import GitState, read_sweep_json, write_sweep_json
from orchestrator.records.recorder import Recorder
from tests.cli.conftest import Ran
from tests.cli.recorded import SPEC, T0, record

Sweep = Callable[..., Ran]


def changed(paths: SweepPaths, **changes: object) -> None:
    write_sweep_json(paths.info, dataclasses.replace(read_sweep_json(paths.info), **changes))


@pytest.fixture
def two(tmp_path: Path) -> tuple[SweepPaths, SweepPaths]:
    results = tmp_path / "results"
    one = record(results, name="one")
    space = {**SPEC["space"], "lr": {"loguniform": [1e-5, 1e-2]}}
    two = record(
        results, name="two", parent="one", space=space, search={"method": "random", "seed": 2}, budget={"trials": 5}
    )
    for paths, seed in ((one, "a"), (two, "b")):
        git = GitState(commit="8efd194b5a77", branch="main", diff=seed, diff_cut=False, untracked=0)
        changed(paths, git=git, python="3.11.9", versions={"torch": f"2.9.{seed}", "ray": "2.60.0"}, engine="local")
    changed(two, fingerprints={"data data/a.csv": "sha256 0123456789abcdef"})
    return one, two


def test_what_differs_and_no_more(sweep: Sweep, two: object) -> None:
    spec, origin, outcome = sweep("compare", "one", "two").out.split("\n\n")
    assert [line.split("  ", 1)[0] for line in spec.splitlines()] == [
        "spec",
        "space.lr",
        "search.seed",
        "budget.trials",
    ]
    assert "loguniform [1e-06, 0.1]" in spec
    assert [line.split("  ", 1)[0] for line in origin.splitlines()] == [
        "code, data, versions",
        "code",
        "torch",
        "data data/a.csv",
    ]
    assert "8efd194b5a + changes" in origin
    assert "sha256 0123456789" in origin
    assert "best after 5 trials" in outcome
    assert "8 stopped, 2 diverged, 2 failed" in outcome
    columns = {line.index(line.split("  ")[-1].strip()) for line in (spec.splitlines()[0], outcome.splitlines()[0])}
    assert len(columns) == 1  # one below the other


def test_for_programs(sweep: Sweep, two: object) -> None:
    data = json.loads(sweep("compare", "one", "two", "--format", "json").out)
    assert data["spec"]["space.lr"] == {
        "one": {"loguniform": [1e-06, 0.1]},
        "two": {"loguniform": [1e-05, 0.01]},
    }
    assert "python" not in data["origin"]
    assert data["same_trials"] == 5
    assert data["outcome"]["one"]["best"]["value"] == pytest.approx(1.00002, abs=1e-5)
    rows = list(csv.DictReader(io.StringIO(sweep("compare", "one", "two", "--format", "csv").out)))
    assert next(row for row in rows if row["key"] == "search.seed") == {"key": "search.seed", "one": "1", "two": "2"}


def test_the_same_twice_but_for_the_name(sweep: Sweep, tmp_path: Path) -> None:
    for name in ("one", "two"):
        record(tmp_path / "results", name=name)
    out = sweep("compare", "one", "two").out
    assert out.startswith("spec: no difference\n\ncode, data, versions: no difference\n\noutcome ")
    assert "best after 12 trials" not in out


def test_defaults_that_came_later_are_no_difference(sweep: Sweep, two: tuple[SweepPaths, SweepPaths]) -> None:
    info = read_sweep_json(two[0].info)
    search = {key: value for key, value in info.spec["search"].items() if key != "repeats"}
    changed(two[0], spec={**info.spec, "search": search})
    assert "repeats" not in sweep("compare", "one", "two").out


def test_another_metric_is_not_compared(sweep: Sweep, tmp_path: Path) -> None:
    for name, mode in (("one", "min"), ("two", "max")):
        record(tmp_path / "results", name=name, objective={"metric": "loss", "mode": mode})
    out = sweep("compare", "one", "two").out
    assert "(max loss)" in out
    assert "best after" not in out
    assert out.endswith("They are after different metrics, so their results are not compared.\n")


def test_three_of_which_one_has_no_trials(sweep: Sweep, two: tuple[SweepPaths, SweepPaths], tmp_path: Path) -> None:
    empty = SweepPaths(tmp_path / "results" / "empty")
    empty.root.mkdir()
    write_sweep_json(empty.info, dataclasses.replace(read_sweep_json(two[0].info), name="empty"))
    out = sweep("compare", "one", "two", "empty").out
    assert "best loss             1.00002" in out
    assert "–" in out


@pytest.mark.parametrize("sweeps", [["one"], ["one", "one"], ["one", "nothing"]])
def test_what_cannot_be_compared(sweep: Sweep, two: object, sweeps: list[str]) -> None:
    ran = sweep("compare", *sweeps)
    assert (ran.code, ran.out) == (2, "")


class TestProgress:
    def test_so_far(self) -> None:
        ends = [(1.0, 5.0), (2.0, None), (3.0, 4.0), (9.0, 3.0)]
        found = Progress(objective=Objective(metric="loss", mode="min", at="best"), ends=ends, seconds=10.0)
        assert [found.after_trials(count) for count in range(5)] == [None, 5.0, 5.0, 4.0, 3.0]
        assert [found.after_seconds(seconds) for seconds in (0.5, 2, 3, 100)] == [None, 5.0, 4.0, 3.0]

    def test_the_time_between_sessions_does_not_count(self, tmp_path: Path) -> None:
        paths = record(tmp_path, halt_after=3)
        before = progress(paths, Objective(metric="loss", mode="min", at="best"))
        later = T0 + 10_000
        with Recorder(paths, sweep=paths.name, parameters={}, metrics=["loss"]) as recorder:
            recorder.events(
                [
                    EventRow(at=later, event="sweep", reason="began"),
                    EventRow(at=later + 5, event="cancelled", trial=3),
                    EventRow(at=later + 50_000, event="evaluation", trial=1),
                ]
            )
        after = progress(paths, before.objective)
        assert after.seconds == pytest.approx(before.seconds + 5)
        assert [at for at, _ in after.ends][:-1] == [at for at, _ in before.ends][:-1]
        assert after.ends[-1][0] == pytest.approx(before.seconds + 5)
