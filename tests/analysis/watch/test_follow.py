"""What a watched sweep is read by: nothing twice, and never anything else than what a fresh look would find."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.summary.overview import overview
from orchestrator.analysis.summary.rungs import rung_table
from orchestrator.analysis.watch.follow import Follower, Story
from orchestrator.analysis.watch.listing import Listing, Order, curves
from orchestrator.analysis.watch.scene import Scene
from orchestrator.core.rows import EventRow, State
from orchestrator.records.encode import events_table as encoded
from orchestrator.records.incremental_table import IncrementalTable
from orchestrator.records.load import Sweep, events_table
from orchestrator.records.parquet_log import ParquetLog
from tests.analysis.watch.growing import Growing
from tests.cli.recorded import T0, record

ROWS = pa.table({"trial": [1, 2, 3], "value": [0.1, 0.2, 0.3], "text": ["a", "b", "c"]})


class TestWatched:
    def test_only_what_changed_is_read(self, tmp_path: Path) -> None:
        log = ParquetLog(tmp_path / "log", ROWS.schema, seal_rows=4)
        watched = IncrementalTable.log(log.directory, {"trial", "value", "gone"}.__contains__)
        assert watched.look()
        assert watched.table is not None
        assert (watched.table.num_rows, watched.table.schema.names) == (0, ["trial", "value"])
        for reads, rows in ((2, 3), (4, 6), (5, 8), (6, 11)):  # now and then a file is sealed, and the next begun
            log.append(ROWS.slice(0, 2) if rows == 8 else ROWS)
            log.write()
            assert watched.look()
            assert not watched.look()
            assert (watched.reads, watched.table.num_rows) == (reads, rows)
        assert watched.table["trial"].to_pylist() == [1, 2, 3, 1, 2, 3, 1, 2, 1, 2, 3]

    def test_a_file_that_is_not_there_yet(self, tmp_path: Path) -> None:
        watched = IncrementalTable.file(tmp_path / "trials.parquet", lambda name: True)
        assert not watched.look()
        assert watched.table is None

    def test_another_log_in_its_place_is_read_anew(self, tmp_path: Path) -> None:
        log = ParquetLog(tmp_path / "log", ROWS.schema, seal_rows=2)
        log.append(ROWS)
        log.write()
        watched = IncrementalTable.log(log.directory, lambda name: True)
        watched.look()
        for path in log.directory.iterdir():
            path.unlink()
        ParquetLog(tmp_path / "log", ROWS.schema)
        assert watched.look()
        assert watched.table is not None
        assert watched.table.num_rows == 0


class TestFollower:
    @pytest.mark.parametrize("brackets", [1, 2])
    def test_a_look_finds_what_a_fresh_one_would(self, tmp_path: Path, brackets: int) -> None:
        asha = {"method": "asha", "grace_period": 1, "reduction_factor": 3, "brackets": brackets}
        with Growing(tmp_path, scheduler=asha) as growing:
            follower = Follower(growing.paths)
            for _ in range(8):
                growing.one()
                seen, fresh = follower.look(growing.at), Follower(growing.paths).look(growing.at)
                assert seen.rungs == fresh.rungs == tuple(rung_table(growing.paths))
                assert (seen.states, seen.best) == (fresh.states, fresh.best)
                whole = overview(growing.paths)
                assert (seen.states, seen.status) == (whole.states, whole.status)
                assert seen.best is not None or whole.best is None
                assert seen.news[-1].event == events_table(growing.paths)["event"].to_pylist()[-1]
                assert [event.at for event in seen.news] == sorted(event.at for event in seen.news)

    def test_nothing_is_read_twice(self, tmp_path: Path) -> None:
        follower = Follower(record(tmp_path))
        first = follower.look(T0)
        reads = [each.reads for each in (follower._trials, follower._metrics, follower._events)]
        again = follower.look(T0 + 1)
        assert [each.reads for each in (follower._trials, follower._metrics, follower._events)] == reads
        assert again.listing is first.listing

    def test_a_session_is_timed_and_has_a_pace(self, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            follower = Follower(growing.paths)
            assert follower.look(T0).session is None
            growing.sweep.begin(T0)
            growing.begin()
            seen = follower.look(T0 + 5)
            assert (seen.seconds, seen.per_minute, seen.left_s) == (5, None, None)
            for _ in range(6):
                growing.one()
            seen = follower.look(T0 + 60)
            assert (seen.ended, seen.total) == (6, 12)
            assert seen.per_minute == pytest.approx(6)
            assert seen.left_s == pytest.approx(60)
            growing.begin()  # as after a resume
            seen = follower.look(growing.at + 3)
            assert (seen.seconds, seen.per_minute) == (pytest.approx(3), None)
        left = follower.look(growing.at + 1000)
        assert (left.status, left.seconds, left.left_s) == ("finished", 0, None)

    def test_before_anything_is_recorded(self, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            growing.paths.trials_table.unlink()
            seen = Follower(growing.paths).look(T0)
        assert (seen.status, seen.states, seen.best, seen.rungs, seen.length) == ("running", {}, None, (), 0)

    def test_records_that_cannot_be_read_leave_what_was_seen(self, tmp_path: Path) -> None:
        paths = record(tmp_path)
        follower = Follower(paths)
        before = follower.look(T0)
        whole = paths.trials_table.read_bytes()
        paths.trials_table.write_bytes(whole[:100])
        seen = follower.look(T0 + 1)
        assert "trials.parquet: damaged" in seen.trouble
        assert seen.states == before.states
        paths.trials_table.write_bytes(whole)
        os.utime(paths.trials_table)
        assert follower.look(T0 + 2).trouble == ""

    def test_what_was_read_before_a_trouble_is_seen_after_it(self, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            follower = Follower(growing.paths)
            follower.look(T0)
            growing.one()
            (log,) = growing.paths.events.iterdir()
            whole = log.read_bytes()
            log.write_bytes(whole[:50])
            assert follower.look(T0).trouble
            log.write_bytes(whole)
            seen = follower.look(T0)
            assert (seen.trouble, seen.ended, len(seen.news) > 0) == ("", 1, True)

    def test_scores_on_the_test_part_do_not_make_a_session_longer(self) -> None:
        story = Story()
        rows = [
            EventRow(at=T0, event="sweep", reason="began"),
            EventRow(at=T0 + 9, event="completed", trial=0),
            EventRow(at=T0 + 9999, event="evaluation", trial=0),
        ]
        story.go_on(encoded(rows, "s"))
        session = story.session(going_on=False)
        assert session is not None
        assert session.seconds(T0 + 10**6) == 9


VALUES = st.none() | st.floats(-10, 10)
TRIALS = st.lists(st.tuples(st.sampled_from(list(State)), VALUES, st.none() | st.integers(1, 9)), max_size=12)


class TestListing:
    @given(TRIALS, st.sampled_from(["min", "max"]), st.sampled_from(list(Order)), st.none() | st.sampled_from(State))
    def test_orders(self, trials: list[tuple[State, float | None, int | None]], mode, order, only) -> None:  # type: ignore[no-untyped-def]
        def place(trial: int) -> tuple[object, ...]:
            state, value, step = trials[trial]
            loss = 0.0 if value is None else value if mode == "min" else -value
            worth = (value is None, loss, trial)
            return {
                Order.RUNNING: (state is not State.RUNNING, *worth),
                Order.VALUE: worth,
                Order.NEWEST: (-trial,),
                Order.FURTHEST: (step is None, -(step or 0), *worth),
                Order.LONGEST: (-trial,),
            }[order]

        table = pa.table(
            {
                "trial": pa.array(range(len(trials)), pa.int64()),
                "state": pa.array([str(state) for state, _, _ in trials], pa.string()),
                "objective": pa.array([value for _, value, _ in trials], pa.float64()),
                "last_step": pa.array([step for *_, step in trials], pa.int64()),
                "train_s": pa.array([float(number) for number in range(len(trials))], pa.float64()),
            }
        )
        listing = Listing(table=table, mode=mode)
        expected = sorted((n for n, (state, *_) in enumerate(trials) if only in (None, state)), key=place)
        assert listing.trials(listing.ordered(order, only)) == expected

    @pytest.mark.parametrize(
        ("text", "trials"),
        [
            ("", range(12)),
            ("  ", range(12)),
            ("kind=b", [0, 1, 9]),
            ("kind=bad FAIL", [0, 1]),
            ("wild", [2, 5, 6, 8, 11]),
            ("lr<1e-5", [2, 5]),
            ("lr<=1e-5 lr>0.000002", [2]),
            ("loss<1.0001", [3]),
            ("loss>1.0001 loss<1.0006", [8]),
            ("objective>=1.005 state=stopped", [4]),
            ("step=1 trial>=10", [10, 11]),
            ("trained>3", [2, 5]),
            ("reason=loss", [2, 5]),
            ("VALUEERROR", [0, 1]),
            ("here node=here trial=3", [3]),
            ("sizes=[8]", [0, 4, 7, 8, 9, 11]),
            ("kind<3", []),
            ("lr<x", []),
            ("nothing=1", []),
            ("(", []),
        ],
    )
    def test_what_matches_a_text(self, tmp_path: Path, text: str, trials: Iterable[int]) -> None:
        scene = Follower(record(tmp_path)).look(T0)
        assert scene.listing is not None
        places = scene.listing.ordered(Order.NEWEST, None, text)
        assert sorted(scene.listing.trials(places)) == sorted(trials)

    def test_a_state_and_a_text(self, tmp_path: Path) -> None:
        scene = Follower(record(tmp_path)).look(T0)
        assert scene.listing is not None
        assert scene.listing.trials(scene.listing.ordered(Order.NEWEST, State.STOPPED, "kind=bad")) == [9]

    def test_a_row_by_its_number(self, tmp_path: Path) -> None:
        scene = Follower(record(tmp_path)).look(T0)
        assert scene.listing is not None
        row = scene.listing.row(3)
        assert row is not None
        assert (row.trial, row.state) == (3, State.STOPPED)
        assert scene.listing.row(12) is None

    def test_rows_have_their_own_configuration(self, tmp_path: Path) -> None:
        scene = Follower(paths := record(tmp_path)).look(T0)
        assert scene.listing is not None
        table = Sweep(paths).trials
        for row in scene.listing.rows([5, 3]):
            assert row.config["lr"] == table.loc[row.trial, "config.lr"]
            assert (row.state, row.step, row.reason) == tuple(table.loc[row.trial, ["state", "last_step", "reason"]])

    def test_curves(self, tmp_path: Path) -> None:
        scene, metrics = Follower(paths := record(tmp_path)).look(T0), Sweep(paths).metrics
        found = scene.curves([3, 4, 99])
        assert set(found) == {3, 4}
        own = metrics[metrics["trial"] == 3]
        assert found[3] == list(zip(own["step"], own["loss"], strict=True))
        assert curves(None, "loss", [1]) == curves(scene.metrics, "nothing", [1]) == {}

    def test_nodes(self, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            for _ in range(4):
                growing.one()
            growing.start(step=1, loss=0.5)
            scene: Scene = Follower(growing.paths).look(T0)
        assert scene.listing is not None
        (node,) = scene.listing.nodes
        assert (node.node, node.running, node.ended, node.failed) == ("here", 1, 4, 2)
