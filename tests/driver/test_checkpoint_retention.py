"""Checkpoints of ended trials: what is not kept is removed at once; of the stopped ones, what can still win stays."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State, TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.driver.checkpoint_retention import CheckpointRetention
from orchestrator.records.paths import SweepPaths
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import parse_spec
from orchestrator.spec.keep_policy import KeepPolicy

Losses = Sequence[float]


def played(
    root: Path,
    curves: Sequence[Losses],
    *,
    slots: int = 1,
    at: str = "best",
    keep: str | None = None,
    variant: str = "stop",
    reduction_factor: int = 9,
) -> tuple[Sweep, list[set[int]]]:
    """A sweep of trials with these losses at steps 1 to 9, judged at step 3; and whose files there are at each end."""
    paths = SweepPaths(root)
    spec = {
        "trainable": "mine:train",
        "fixed": {"epochs": 9},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss", "at": at},
        "search": {"method": "random"},
        "scheduler": {"method": "asha", "variant": variant, "grace_period": 3, "reduction_factor": reduction_factor},
        "budget": {"trials": len(curves)},
        "trial": {"keep": keep},
    }
    parsed = parse_spec(spec, base=Path())
    sweep = build_sweep(parsed, None)
    retention = CheckpointRetention(sweep, paths, parsed.keep)
    left: list[set[int]] = []

    def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
        assert paths.checkpoints(start.trial).exists() == (start.recorded is not None), "what goes on has its files"
        paths.checkpoints(start.trial).mkdir(parents=True, exist_ok=True)
        for name in ("best.json", "last.json"):
            (paths.checkpoints(start.trial) / name).touch()
        for step, loss in enumerate(curves[start.trial], 1):
            yield 1.0, step, {"loss": loss}

    take = sweep.on

    def record(rows: Iterable[TrialRow]) -> None:
        for row in rows:
            if row.state.ended:
                retention.trial_ended(row)
                left.append({int(path.name) for path in (root / "checkpoints").iterdir()})

    def on(event: events.Event) -> bool:
        goes_on = take(event)
        record(sweep.take(event.at).trials)
        return goes_on

    sweep.on = on  # type: ignore[method-assign]
    ended = simulate(sweep, curve, slots=slots)
    record(ended.trials.values())  # paused trials are stopped when nothing is left to start
    if sweep.best is not None and sweep.best.state is State.STOPPED:
        assert len(list(paths.checkpoints(sweep.best.number).iterdir())) == 2, "its worker may still write"
    retention.finish()
    return sweep, left


def kept(root: Path) -> dict[int, set[str]]:
    return {int(path.name): {file.name for file in path.iterdir()} for path in (root / "checkpoints").iterdir()}


def test_a_stopped_trial_keeps_its_checkpoint_until_a_better_one_has_ended(tmp_path: Path) -> None:
    """Each trial has its best loss before the rung, so the second and later ones are stopped although some lead."""
    bests = [0.5, 0.6, 0.3, 0.9, 0.2, 0.4]
    sweep, left = played(tmp_path, [[best, 2, 2.0 + n, 2, 2, 2, 2, 2, 2] for n, best in enumerate(bests)])
    assert [trial.state for trial in sweep.trials] == [State.COMPLETED] + [State.STOPPED] * 5
    assert left == [{0}, {0}, {0, 2}, {0, 2}, {0, 4}, {0, 4}]
    assert kept(tmp_path) == {0: {"best.json"}, 4: {"best.json"}}


@pytest.mark.parametrize("slots", [1, 2, 3])
@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_leaders_that_diverge_cost_no_checkpoint(tmp_path: Path, slots: int, end: float) -> None:
    leads = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, end]
    sweep, _ = played(tmp_path, [leads, [0.3, 0.3, 0.3], [0.2, 0.2, 0.2]], slots=slots)
    assert sweep.trials[0].state is State.DIVERGED
    assert sweep.best is not None
    assert sweep.best.number == 2
    assert kept(tmp_path) == {2: {"best.json"}}


def test_where_the_last_report_counts_a_leader_that_gets_worse_costs_no_checkpoint(tmp_path: Path) -> None:
    worse = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 5, 5, 5]
    sweep, _ = played(tmp_path, [worse, [0.3] * 9, [0.4] * 9, [0.25, 0.25, 0.05, *[0.05] * 5, 7]], slots=2, at="last")
    assert [trial.state.value for trial in sweep.trials] == ["completed", "stopped", "stopped", "completed"]
    assert sweep.best is not None
    assert sweep.best.number == 1
    assert kept(tmp_path).keys() == {0, 1, 3}


def test_of_equals_the_first_is_the_best_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    """Trial 0 ends long after trial 1, with the same result."""
    sweep, _ = played(tmp_path, [[0.1] * 9, [0.1, 0.2, 0.2]], slots=2)
    assert sweep.best is sweep.trials[0]
    assert kept(tmp_path) == {0: {"best.json"}}


def test_of_the_best_three_all_keep_theirs_whether_completed_or_stopped(tmp_path: Path) -> None:
    bests = [0.5, 0.6, 0.3, 0.9, 0.2, 0.4]
    curves = [[best, 2, 2.0 + n, 2, 2, 2, 2, 2, 2] for n, best in enumerate(bests)]
    sweep, left = played(tmp_path, curves, keep="top3")
    assert [trial.state for trial in sweep.trials] == [State.COMPLETED] + [State.STOPPED] * 5
    assert left == [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2}, {0, 2, 4}, {2, 4, 5}]
    assert kept(tmp_path) == {2: {"best.json"}, 4: {"best.json"}, 5: {"best.json"}}


@settings(max_examples=40)
@given(
    losses=st.lists(st.lists(st.floats(0, 9) | st.just(math.nan), min_size=9, max_size=9), min_size=1, max_size=9),
    top=st.integers(1, 4),
    at=st.sampled_from(["best", "last"]),
    variant=st.sampled_from(["stop", "promote"]),
    slots=st.integers(1, 3),
)
def test_whatever_the_curves_the_best_keep_theirs(
    losses: list[list[float]], top: int, at: str, variant: str, slots: int
) -> None:
    """What goes on from a rung still has its checkpoint; ``played`` looks."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        sweep, _ = played(root, losses, keep=f"top{top}", at=at, variant=variant, slots=slots, reduction_factor=2)
        settled = [trial for trial in sweep.trials if trial.state.settled and trial.judged]
        settled.sort(key=lambda trial: (trial.objective.loss(trial.result or 0.0), trial.number))
        leaders = {trial.number for trial in settled[:top]}
        assert kept(root).keys() == leaders
        assert all(names == {f"{at}.json"} for names in kept(root).values())


def test_a_resume_removes_what_an_earlier_session_has_protected(tmp_path: Path) -> None:
    sweep, _ = played(tmp_path, [[0.5] * 9, [0.4] * 9, [0.3] * 9, [0.2] * 9], keep="top2")
    assert kept(tmp_path).keys() == {2, 3}
    for trial in (0, 1):
        SweepPaths(tmp_path).checkpoints(trial).mkdir()
        (SweepPaths(tmp_path).checkpoints(trial) / "best.json").touch()
    again = CheckpointRetention(sweep, SweepPaths(tmp_path), KeepPolicy(checkpoints="best", top=2))
    again.trial_ended(sweep.trials[3].row(0.0))
    assert kept(tmp_path).keys() == {2, 3}
