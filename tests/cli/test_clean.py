"""clean: what goes of each kind of trial, what stays, and what is left alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.control.lease import Lease
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from tests.cli.conftest import Ran
from tests.cli.recorded import record
from trainables.checkpoints.files import tidy
from trainables.checkpoints.saving import Checkpoints

Sweep = Callable[..., Ran]

ALL = {"best.pt", "last.pt", ".last.pt.0a1b2c3d", "best.pt.damaged"}
KINDS = {  # by state of a trial of the sweeps below
    "completed": {"best.pt"},
    "cancelled": {"best.pt", "last.pt"},
    "stopped": set(),
    "diverged": set(),
    "failed": set(),
}


def fill(paths: SweepPaths) -> None:
    """Give each trial all that may lie in its directory, 100 bytes each; and what trials write themselves."""
    for row in trials_table(paths, ["trial"]).to_pylist():
        directory = paths.checkpoints(row["trial"])
        directory.mkdir(parents=True)
        for name in ALL:
            (directory / name).write_bytes(bytes(100))
        paths.trial(row["trial"]).mkdir(parents=True)
        (paths.trial(row["trial"]) / "best.pt").write_bytes(bytes(100))
    paths.spec.write_text("name: made-up")


def states(paths: SweepPaths) -> dict[int, str]:
    return {row["trial"]: row["state"] for row in trials_table(paths, ["trial", "state"]).to_pylist()}


def left(paths: SweepPaths) -> dict[int, set[str]]:
    directories = {trial: paths.checkpoints(trial) for trial in states(paths)}
    return {n: {p.name for p in each.iterdir()} if each.exists() else set() for n, each in directories.items()}


def records(paths: SweepPaths) -> dict[Path, bytes]:
    files = (path for path in paths.root.rglob("*") if path.is_file() and path.name != ".lease.json.lock")
    return {path: path.read_bytes() for path in files if "checkpoints" not in path.parts}


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    """Trials that completed, diverged and failed, and one that was cancelled."""
    made = record(tmp_path / "results", scheduler={"method": "none"}, halt_after=11)
    assert set(states(made).values()) == {"completed", "diverged", "failed", "cancelled"}
    fill(made)
    return made


def test_what_goes_and_what_stays(sweep: Sweep, paths: SweepPaths) -> None:
    before = records(paths)
    ran = sweep("clean")
    assert (ran.code, ran.err) == (0, "")
    assert left(paths) == {trial: KINDS[state] for trial, state in states(paths).items()}
    assert records(paths) == before
    assert not paths.lease.exists()
    kept = sum(map(len, left(paths).values()))
    freed = (4 * len(states(paths)) - kept) * 100
    assert ran.out.splitlines()[-1] == f"{freed / 1000:.1f} kB in checkpoints of 12 trials freed"
    assert sweep("clean").err == "nothing to delete\n"


def test_a_stopped_trial_keeps_none_unless_it_is_the_best(sweep: Sweep, tmp_path: Path) -> None:
    stopped = record(tmp_path / "results")
    fill(stopped)
    best = best_trials(stopped, read_sweep_json(stopped.info), 1)[0].trial
    assert states(stopped)[best] == "stopped"
    sweep("clean")
    assert {trial: names for trial, names in left(stopped).items() if names} == {best: {"best.pt"}}


@pytest.mark.parametrize("keep", ["none", "both", "last"])
def test_another_policy_for_what_is_completed(sweep: Sweep, paths: SweepPaths, keep: str) -> None:
    assert sweep("clean", "made-up", "--keep", keep).code == 0
    stays = {"none": set(), "both": {"best.pt", "last.pt"}, "last": {"last.pt"}}[keep]
    expected = {**KINDS, "completed": stays}
    assert left(paths) == {trial: expected[state] for trial, state in states(paths).items()}


def test_another_policy_needs_names(sweep: Sweep, paths: SweepPaths) -> None:
    ran = sweep("clean", "--keep", "none")
    assert (ran.code, ran.out) == (2, "")
    assert "requires the names of sweeps" in ran.err
    assert left(paths) == dict.fromkeys(states(paths), ALL)


def test_a_dry_run_touches_nothing_and_says_the_same(sweep: Sweep, paths: SweepPaths) -> None:
    before = {path: path.lstat().st_mtime_ns for path in paths.root.rglob("*")}
    dry = sweep("clean", "--dry-run")
    assert {path: path.lstat().st_mtime_ns for path in paths.root.rglob("*")} == before
    assert dry.out.splitlines()[-1].endswith(" would be freed; nothing was deleted")
    assert dry.out.splitlines()[:-1] == sweep("clean").out.splitlines()[:-1]


def test_all_sweeps_or_the_named_ones(sweep: Sweep, paths: SweepPaths) -> None:
    others = [record(paths.root.parent) for _ in range(2)]
    for other in others:
        fill(other)
    out = sweep("clean", "made-up-2", "made-up-3", "made-up-2").out
    assert {line.split()[0] for line in out.splitlines()[1:-2]} == {"made-up-2", "made-up-3"}
    assert out.count("made-up-2 ") == 12
    assert left(paths) == dict.fromkeys(states(paths), ALL)
    assert {line.split()[0] for line in sweep("clean").out.splitlines()[1:-2]} == {"made-up"}
    assert sweep("clean", "nowhere").code == 2


def test_a_running_sweep_is_left_alone(sweep: Sweep, paths: SweepPaths) -> None:
    lease = Lease.acquire(paths.lease)
    ran = sweep("clean")
    assert ran.code == 0
    assert ran.err == "skipped made-up: it is running\nnothing to delete\n"
    held = json.loads(paths.lease.read_text())
    paths.lease.write_text(json.dumps({**held, "place": "elsewhere"}))
    assert "skipped made-up: it is running" in sweep("clean").err
    assert left(paths) == dict.fromkeys(states(paths), ALL)
    paths.lease.write_text(json.dumps({**held, "pid": 2**22 + 1}))
    assert sweep("clean").code == 0, "its driver died"
    assert left(paths) != dict.fromkeys(states(paths), ALL)
    lease.release()


def test_what_a_resume_goes_on_from_stays_though_the_driver_was_killed(sweep: Sweep, paths: SweepPaths) -> None:
    """The table of trials may not know a trial at all that has saved already."""
    unknown = paths.checkpoints(max(states(paths)) + 1)
    unknown.mkdir()
    (unknown / "last.pt").write_bytes(bytes(100))
    sweep("clean")
    assert (unknown / "last.pt").exists()


def test_two_names_of_one_file_free_its_bytes_once(sweep: Sweep, paths: SweepPaths) -> None:
    completed = next(trial for trial, state in states(paths).items() if state == "completed")
    failed = next(trial for trial, state in states(paths).items() if state == "failed")
    for trial in states(paths):
        for name in ALL if trial not in (completed, failed) else ALL - {"best.pt"}:
            (paths.checkpoints(trial) / name).unlink()
    for trial in (completed, failed):
        os.link(paths.checkpoints(trial) / "best.pt", paths.checkpoints(trial) / "last.pt")
    out = sweep("clean", "--dry-run").out
    assert [line.split()[1:5] for line in out.splitlines()[1:-2]] == [
        [str(trial), state, "0" if state == "completed" else "100", "B"]
        for trial, state in sorted({completed: "completed", failed: "failed"}.items())
    ]


def test_damaged_records_keep_no_other_sweep_from_being_cleaned(sweep: Sweep, paths: SweepPaths) -> None:
    other = record(paths.root.parent)
    fill(other)
    paths.trials_table.write_bytes(b"PAR1")
    ran = sweep("clean")
    assert ran.code == 1
    assert "cannot clean made-up: " in ran.err
    assert ran.err.endswith("error: 1 sweep could not be cleaned\n")
    assert sum(map(len, left(other).values())) == 1


def test_what_cannot_be_removed_is_said(sweep: Sweep, paths: SweepPaths) -> None:
    failed = next(trial for trial, state in states(paths).items() if state == "failed")
    (paths.checkpoints(failed) / "folder" / "of mine").mkdir(parents=True)
    ran = sweep("clean")
    assert ran.code == 1
    assert f"cannot clean made-up: cannot clean {paths.checkpoints(failed).relative_to(Path.cwd())}" in ran.err
    assert not paths.lease.exists()


@pytest.mark.parametrize(("state", "options"), [("completed", {"scheduler": {"method": "none"}}), ("stopped", {})])
def test_only_the_best_keep_theirs(sweep: Sweep, tmp_path: Path, state: str, options: dict[str, Any]) -> None:
    made = record(tmp_path / "results", trial={"keep": "top3"}, **options)
    fill(made)
    kinds = states(made)
    best = [each.trial for each in best_trials(made, read_sweep_json(made.info), 99) if kinds[each.trial] == state]
    assert len(best) >= 4
    for count, arguments in ((4, ("made-up", "--keep", "top4")), (3, ()), (1, ("made-up", "--keep", "top1"))):
        assert sweep("clean", *arguments).code == 0
        assert left(made) == {trial: {"best.pt"} if trial in best[:count] else set() for trial in kinds}
    ran = sweep("clean", "made-up", "--keep", "top0")
    assert (ran.code, ran.out) == (2, "")
    assert "--keep top0: unknown value (one of: best, last, both, none, or top3 for the best 3 trials)" in ran.err


def test_saved_files_go_and_stay_with_the_checkpoint_that_names_them(
    sweep: Sweep, paths: SweepPaths, tmp_path: Path
) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "weights").write_bytes(bytes(10**6))
    (tmp_path / "output" / "link").symlink_to("weights")
    for trial in states(paths):
        tidy(paths.checkpoints(trial), "none")
        saved = Checkpoints(paths.checkpoints(trial))
        for step in (1, 2):
            saved.save(step, {}, tmp_path / "output")
            saved.report(step, step)
    ran = sweep("clean", "--dry-run", "--format", "json")
    kinds = states(paths)
    removed = {each["trial"]: each for each in json.loads(ran.out)["trials"]}
    assert removed.keys() == {trial for trial, kind in kinds.items() if kind != "cancelled"}
    assert sweep("clean").code == 0
    for trial, kind in kinds.items():
        count = {"completed": 1, "cancelled": 2}.get(kind, 0)
        copies = list(paths.checkpoints(trial).glob("step-*/output/weights"))
        assert len(copies) == count
        if trial in removed:
            assert (2 - count) * 10**6 < removed[trial]["bytes"] < (2 - count) * 10**6 + 10**5
    assert (tmp_path / "output" / "weights").exists()
