"""Which trials had ended when, and what their training had cost by then."""

from __future__ import annotations

from typing import Any

from orchestrator.analysis.report.progress import progress


def row(trial: int, ended_at: int | None, state: str = "completed", train_s: float | None = 10.0, **more: Any) -> Any:
    return {"trial": trial, "state": state, "ended_at": ended_at, "train_s": train_s, **more}


def test_trials_count_in_the_order_in_which_they_ended() -> None:
    rows = [
        row(0, 30),
        row(1, 10, "stopped", 2.0),
        row(2, 20, "failed", None),
        row(3, None, "running"),
        row(4, None, "pending"),
    ]
    found = progress(rows, "slot")
    assert [(end.trial, end.spent) for end in found.ends] == [(1, 2.0), (2, 2.0), (0, 12.0)]


def test_a_share_of_a_gpu_costs_a_share() -> None:
    rows = [row(0, 1, gpus=0.5), row(1, 2, gpus=2.0), row(2, 3, gpus=None), row(3, 4)]
    assert [end.spent for end in progress(rows, "gpu").ends] == [5.0, 25.0, 25.0, 25.0]
    assert [end.spent for end in progress(rows, "slot").ends] == [10.0, 20.0, 30.0, 40.0]


def test_nothing_has_ended_yet() -> None:
    assert progress([row(0, None, "running")], "gpu").ends == ()
