"""The benchmark of searches: its tasks are well formed, a cell of each family runs, and its arithmetic is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import cells, compare, page
from benchmarks.search.cells import Cell, Found, families, incumbents, record, recorded, run_cell
from benchmarks.search.strategies import STRATEGIES, strategy_named
from benchmarks.search.tasks import Task, references
from orchestrator.core.rows import MetricRow

FAMILIES = sorted(families())


@pytest.mark.parametrize("name", FAMILIES)
def test_every_task_has_curves_and_a_reference(name: str) -> None:
    family = families()[name]()
    assert references()[name].keys() == family.tasks.keys()
    for task in family.tasks.values():
        made = 0
        for config in task.random_configs(10):
            try:
                curve = task.curve(config)
            except MemoryError:
                continue
            made += 1
            assert len(curve["true"]) == len(curve["elapsed"]) == task.steps
            assert (np.diff(curve["elapsed"], prepend=0) >= 0).all()
        assert made
        reference = references()[name][task.name]
        losses = [task.sign * each for each in (reference.best, *reference.targets, reference.median)]
        assert losses == sorted(losses)


def test_a_reference_is_what_random_configurations_reach() -> None:
    task = families()["synthetic"]().tasks["conditional-1"]
    made, held = task.reference(400), references()["synthetic"]["conditional-1"]
    assert made.median == pytest.approx(held.median, rel=0.1)
    assert made.training_s == pytest.approx(held.training_s, rel=0.1)
    assert made.best >= held.best


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("strategy", ["auto", "ray:2:3", "kde+ray:2:3"])
def test_a_cell_of_each_family(name: str, strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "BUDGET", 8)
    monkeypatch.setattr(cells, "REGRETS_AT", (2, 4, 8))
    task = next(iter(families()[name]().tasks))
    found = run_cell(Cell(family=name, task=task, workers=4, seed=1, strategy=strategy))
    assert found.trials > 8
    assert list(found.regret) == sorted(found.regret, reverse=True)
    assert all(each is None or 0 < each <= 8 for each in found.first)


def test_the_same_cell_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "BUDGET", 8)
    cell = Cell(family="synthetic", task="noisy-1", workers=4, seed=1, strategy="kde+ray:2:3")
    first, again = run_cell(cell), run_cell(cell)
    assert (first.first, first.regret, first.trials) == (again.first, again.regret, again.trials)


def test_optuna_prunes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "BUDGET", 4)
    found = run_cell(Cell(family="synthetic", task="noisy-2", workers=2, seed=1, noise=1, strategy="optuna"))
    assert found.trials > 8


def row(at: float, value: float, true: float) -> MetricRow:
    return MetricRow(trial=0, attempt=1, step=1, train_s=0, reported_at=at, metrics={"value": value, "true": true})


def test_an_incumbent_counts_as_what_it_really_is() -> None:
    rows = [row(3, 5, 7), row(1, 6, 6), row(2, 9, 1), row(4, np.nan, 0)]
    when, true = incumbents(rows, 1.0)
    assert (when.tolist(), true.tolist()) == ([1, 3], [6, 7])
    when, true = incumbents(rows, -1.0)
    assert (when.tolist(), true.tolist()) == ([1, 2], [6, 1])


def found(*first: float | None) -> Found:
    return Found(first=first, regret=(1.0,), trials=1, decision_ms=1.0)


def test_a_miss_is_charged_in_full() -> None:
    assert compare.expected_time([found(10), found(None)], 0) == 10 + cells.BUDGET
    assert compare.expected_time([found(None), found(None)], 0) == 2 * cells.BUDGET
    assert compare.expected_time([found(10), found(20)], 0) == 15


def test_ratios_are_over_the_cells_that_both_have() -> None:
    ours = {("a", 0): found(10), ("b", 0): found(10), ("c", 0): found(1)}
    other = {("a", 0): found(40), ("b", 0): found(10)}
    ratio = compare.ratio(ours, other, 0)
    assert ratio is not None
    assert ratio.mean == pytest.approx(2)
    assert (ratio.low, ratio.high) == pytest.approx((1, 4))
    assert (ratio.worst, ratio.worst_task) == (1, "b")
    assert compare.ratio(ours, {}, 0) is None


def test_cells_are_kept_in_a_file(tmp_path: Path) -> None:
    path, cell = tmp_path / "cells.jsonl", Cell(family="lcbench", task="3945", workers=8, seed=0)
    record(path, cell, found(1, None))
    record(path, cell, found(2, None))
    assert recorded([path, tmp_path / "none.jsonl"]) == {cell: found(2, None)}


def test_any_settings_are_a_strategy() -> None:
    named = strategy_named("mine={search: {method: sobol}}")
    assert named.sections == {"search": {"method": "sobol"}}
    with pytest.raises(SystemExit, match="unknown strategy 'mine'"):
        strategy_named("mine")


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_every_strategy_builds(name: str) -> None:
    task: Task = families()["synthetic"]().tasks["conditional-1"]
    assert STRATEGIES[name].build(task.spec(scheduler={"max": task.steps}), None).ask(0.0) is not None


def test_the_page_is_written_from_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "search.md")
    monkeypatch.setattr(page, "KEPT", tmp_path / "search.parquet")
    page.PAGE.write_text(f"# Search\n\n{page.BEGIN}\nold\n{page.END}\n\nmore\n")
    made = {
        Cell(family="lcbench", task=task, workers=8, seed=0, strategy=strategy): Found(
            first=(time, None, time), regret=(0.5,) * 4, trials=9, decision_ms=1.0
        )
        for task in ("3945", "34539")
        for strategy, time in (("auto", 10.0), ("ray:2:3", 40.0))
    }
    page.keep(made)
    assert page.kept() == made
    assert not page.write(check=True)
    assert page.write()
    assert page.write(check=True)
    text = page.PAGE.read_text()
    assert "old" not in text
    assert text.endswith(f"{page.END}\n\nmore\n")
    assert "| `auto` | 2 | 1 / 0 / 1 | 4 / 1 / 4 | 4 (34539) / 4 (34539) | 0.500 / 0.500 / 0.500 / 0.500 | 1 |" in text
    assert "| `ray:2:3` | 4 [4, 4] | 1 [1, 1] | 4 [4, 4] |" in text
