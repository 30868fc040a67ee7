"""The results of a recorded sweep, in the order in which its trials ended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest

from orchestrator.analysis.outlook.recorded import CLOSED, outlook_in, outlook_of, results_in_order
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.records.provenance import read_sweep_json
from tests.cli.recorded import record

Trial = tuple[str, float | None, int | None]


def table(*trials: Trial) -> pa.Table:
    """Trials by state, objective, and when they ended."""
    states, values, ends = zip(*trials, strict=True)
    times = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "state": list(states),
            "objective": pa.array(values, pa.float64()),
            "started_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * len(trials), times),
            "ended_at": pa.array([end and datetime(2026, 1, 1, 0, 0, end, tzinfo=UTC) for end in ends], times),
        }
    )


@pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
def test_by_the_end_of_the_trials_and_failures_say_nothing(mode: Literal["min", "max"], sign: int) -> None:
    rows = table(
        ("completed", sign * 0.5, 9),
        ("failed", None, 1),
        ("diverged", None, 4),
        ("stopped", sign * 0.7, 2),
        ("cancelled", sign * 0.6, 3),
        ("running", sign * 0.9, None),
        ("paused", sign * 0.8, None),
        ("pending", None, None),
    )
    losses, in_full = results_in_order(rows, mode)
    assert losses.tolist() == [0.8, 0.7, np.inf, 0.5]
    assert in_full.tolist() == [False, False, False, True]


def test_the_best_counts_although_it_still_trains() -> None:
    rows = table(("completed", 0.5, 9), ("running", 0.4, None), ("running", 0.45, None), ("stopped", 0.7, 2))
    assert results_in_order(rows, "min")[0].tolist() == [0.7, 0.5, 0.4]


def test_a_sweep_that_has_just_begun() -> None:
    assert results_in_order(table(("running", None, None)), "min")[0].tolist() == []
    assert results_in_order(table(("running", 0.3, None)), "min")[0].tolist() == [0.3]


def test_a_recorded_sweep(tmp_path: Path) -> None:
    paths = record(tmp_path, budget={"trials": 60})
    info = read_sweep_json(paths.info)
    found = outlook_in(paths, objective_of(info), info)
    assert [each.trials for each in found] == [10, 40, 100]
    few = record(tmp_path, name="few")
    assert outlook_in(few, objective_of(info), read_sweep_json(few.info)) == []


@pytest.mark.parametrize("method", CLOSED)
def test_a_grid_or_a_list_has_no_further_trials(method: str) -> None:
    rows: list[Any] = [("completed", float(number), number) for number in range(30)]
    assert outlook_of(table(*rows), "min", "random")
    assert not outlook_of(table(*rows), "min", method)
