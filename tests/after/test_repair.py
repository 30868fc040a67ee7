"""The table of trials can be written again from the logs, and says the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from orchestrator.after.repair import repair
from orchestrator.cli.app import main
from orchestrator.control import lease
from orchestrator.records.in_place_parquet import next_version
from orchestrator.records.paths import SweepPaths
from orchestrator.records.verify import verify
from tests.cli.recorded import record

ROOT = Path(__file__).parents[2]
IN_THE_TABLE_ALONE = ["node", "node_id", "gpu_ids", "gpus", "startup_s", "overhead_s", "diagnosis", "diagnosis_reason"]


def table(paths: SweepPaths) -> pd.DataFrame:
    return pd.read_parquet(paths.trials_table).drop(columns=IN_THE_TABLE_ALONE, errors="ignore")


SWEEPS: dict[str, Callable[[Path], SweepPaths]] = {
    "ended": record,
    "halted": lambda results: record(results, halt_after=5),
    "without rungs": lambda results: record(results, scheduler={"method": "none"}),
    "promoted": lambda results: SweepPaths(shutil.copytree(ROOT / "results" / "churn-example", results / "churn")),
    "schema 1": lambda results: SweepPaths(shutil.copytree(ROOT / "tests" / "records" / "schema_v1", results / "v1")),
}


@pytest.mark.parametrize("damage", ["flipped", "lost"])
@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_table_is_written_again_as_it_was(tmp_path: Path, sweep: str, damage: str) -> None:
    paths = SWEEPS[sweep](tmp_path)
    before = table(paths)
    if damage == "lost":
        paths.trials_table.unlink()
    else:
        content = bytearray(paths.trials_table.read_bytes())
        content[-20] ^= 1
        paths.trials_table.write_bytes(content)
    (done,) = repair(paths)
    assert done.file == paths.trials_table
    assert verify(paths).problems == ()
    unnamed = ["sweep", "trial_id", *(["train_s"] if sweep == "schema 1" else [])]  # whose ends have no train_s
    pd.testing.assert_frame_equal(table(paths).drop(columns=unnamed), before.drop(columns=unnamed))
    assert (paths.root / ".trials.parquet.damaged").exists() == (damage == "flipped")
    assert repair(paths) == []


def test_the_command_says_what_it_did(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = record(tmp_path / "results")
    paths.trials_table.write_bytes(b"PAR1")
    assert main(["verify", "made-up"]) == 1
    out, _ = capfd.readouterr()
    assert "sweep verify made-up --repair" in out
    assert main(["verify", "made-up", "--repair"]) == 0
    out, _ = capfd.readouterr()
    assert "repaired" in out
    assert "made-up is whole: 12 trials" in out
    assert main(["show", "made-up"]) == 0


@pytest.mark.parametrize("order", ["reversed", "without a beginning", "a beginning twice"])
def test_from_events_that_do_not_follow_one_another_no_table_is_written(tmp_path: Path, order: str) -> None:
    paths = record(tmp_path)
    (file,) = paths.events.iterdir()
    events = pq.read_table(file)
    begins = events["event"].to_pylist().index("pending")
    rows = list(range(events.num_rows))
    changed = {
        "reversed": rows[::-1],
        "without a beginning": rows[:begins] + rows[begins + 1 :],
        "a beginning twice": [*rows, begins],
    }
    pq.write_table(events.take(changed[order]), file)
    trials = pq.read_table(paths.trials_table)
    pq.write_table(trials.drop_columns("objective"), paths.trials_table)
    repair(paths)
    assert {problem.record for problem in verify(paths).problems} == {"events", "trials"}


def test_logs_are_not_touched_where_nothing_else_is_whole(tmp_path: Path) -> None:
    paths = record(tmp_path)
    (paths.metrics / "000000.parquet").write_bytes(b"PAR1")
    paths.trials_table.write_bytes(b"PAR1")
    assert repair(paths) == []
    assert len(verify(paths).problems) == 2
    assert paths.trials_table.read_bytes() == b"PAR1"


def test_a_lease_of_a_driver_that_is_gone_goes(tmp_path: Path) -> None:
    paths = record(tmp_path)
    holder = {"host": "h", "place": lease._place(), "pid": 2**22 - 1, "process_started": 1.0, "started": 1.0}
    paths.lease.write_text(json.dumps(holder | {"counter": 3}))
    (done,) = repair(paths)
    assert done.file == paths.lease
    assert not paths.lease.exists()


def lengthened(directory: Path, first: int) -> pd.DataFrame:
    """Write a log anew in two versions, the first of which has so many rows; returns all rows."""
    file = directory / "000000.parquet"
    rows = pq.read_table(file)
    file.write_bytes(next_version(rows, next_version(rows.slice(0, first), None)).content)
    return rows.to_pandas()


def flip(file: Path, back: int = 20) -> None:
    content = bytearray(file.read_bytes())
    content[-back] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", ["flipped", "noise"])
def test_of_damaged_reports_the_readable_ones_and_the_results_stay(tmp_path: Path, damage: str) -> None:
    paths = record(tmp_path)
    file = paths.metrics / "000000.parquet"
    before, results = lengthened(paths.metrics, 11), table(paths)
    if damage == "noise":
        file.write_bytes(b"x" * 5000)
    else:
        flip(file)
    damaged = file.read_bytes()
    (done,) = repair(paths)
    readable = 11 if damage == "flipped" else 0
    assert f"its first {readable} reports can be read and stay; reports are lost of trial" in done.text
    assert ("(all)" in done.text) or damage == "flipped"
    assert (paths.metrics / ".000000.parquet.damaged").read_bytes() == damaged
    assert verify(paths).problems == ()
    after = pd.read_parquet(file)
    pd.testing.assert_frame_equal(after[:readable], before[:readable])
    both = after.merge(before, on=["trial", "step"], suffixes=("", "_before"))
    assert len(both) == len(after)
    known = both[both["loss"].notna()]
    assert (known["loss"] == known["loss_before"]).all()
    paths.trials_table.unlink()
    repair(paths)
    same = ["trial", "state", "objective", "best_step", "last_step", "rung", "config.lr", "train_s"]
    pd.testing.assert_frame_equal(table(paths)[same], results[same])
    assert repair(paths) == []


def test_trials_whose_events_are_lost_go_on(tmp_path: Path) -> None:
    paths = record(tmp_path)
    lengthened(paths.events, 9)
    flip(paths.events / "000000.parquet")
    ended = table(paths)
    done = repair(paths)
    assert [each.file for each in done] == [
        paths.events / "000000.parquet",
        paths.metrics / "000000.parquet",
        paths.trials_table,
    ]
    assert "events can be read and stay, the later ones are lost" in done[0].text
    assert "without the reports of trial" in done[1].text
    assert verify(paths).problems == ()
    left = table(paths)
    assert left["config.lr"].tolist() == ended["config.lr"].tolist()[: len(left)]
    assert len(left) < len(ended)
    assert set(left["state"]) == {"pending"}
    assert (paths.events / ".000000.parquet.damaged").exists()


def test_a_log_without_readable_events_stays_as_it_is(tmp_path: Path) -> None:
    paths = record(tmp_path)
    (paths.events / "000000.parquet").write_bytes(b"x" * 5000)
    assert repair(paths) == []
    assert [problem.record for problem in verify(paths).problems] == ["events"]
