"""The complete store compared with a model, with a failing disk and a process that dies at any operation.

What was acknowledged is never lost, nothing stands twice, and a reader never sees a report without its trial's start,
or a trial's end without its reports: whatever order of writing, failing, dying, reopening and repeating hypothesis
thinks of.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.errors import RecordsError
from orchestrator.records.decode import event_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.recorder import Recorder
from tests.records.failing_disk import FailingDisk

SLOTS = 2


class Store(RuleBasedStateMachine):
    """The model: what the driver has said, and how much of it was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.paths = SweepPaths(Path(self.directory.name))
        self.disk = FailingDisk(lambda count: False)
        self.started: set[int] = set()
        self.ended: set[int] = set()
        self.said: set[tuple[int, int]] = set()  # (trial, step) over all lives of the driver
        self.acknowledged: set[tuple[int, int]] = set()
        self.acknowledged_ends: set[int] = set()
        self.last: dict[int, int] = {}  # trial → its last step
        self.running: dict[int, int] = {}  # slot → trial

    @initialize()
    def begin(self) -> None:
        self.open()

    def open(self) -> None:
        self.disk.fails = lambda count: False
        self.recorder = Recorder(
            self.paths, sweep="store", parameters={"x": "float"}, metrics=["loss"], disk=self.disk, seal_rows=5
        )

    @rule(slot=st.integers(0, SLOTS - 1), steps=st.integers(1, 4), back=st.integers(0, 3))
    def report(self, slot: int, steps: int, back: int) -> None:
        """Some steps, the first of them perhaps repeats: the trial went on from a checkpoint."""
        if slot not in self.running:
            self.running[slot] = trial = len(self.started)
            self.started.add(trial)
            self.recorder.events([EventRow(at=0.0, event=State.PENDING, trial=trial, detail={"config": {"x": 0.5}})])
        trial = self.running[slot]
        first = max(1, self.last.get(trial, 0) + 1 - back)
        for step in range(first, first + steps):
            row = MetricRow(
                trial=trial, attempt=1, step=step, train_s=1.0, reported_at=0.0, metrics={"loss": float(step)}
            )
            self.recorder.metrics([row])
            self.said.add((trial, step))
            self.last[trial] = max(self.last.get(trial, 0), step)

    @rule(slot=st.integers(0, SLOTS - 1))
    @precondition(lambda self: self.running)
    def end(self, slot: int) -> None:
        trial = self.running.pop(slot, None)
        if trial is not None:
            self.ended.add(trial)
            self.recorder.events([EventRow(at=0.0, event=State.COMPLETED, trial=trial)])
            self.recorder.trial(TrialRow(trial=trial, state=State.COMPLETED, config={"x": 0.5}))

    @rule(failing=st.integers(0, 24), how_often=st.integers(1, 3))
    def write(self, failing: int, how_often: int) -> None:
        """The disk refuses some operations from one on; then the driver goes on."""
        begin = self.disk.count + 1 + failing
        self.disk.fails = lambda count: begin <= count < begin + how_often
        try:
            self.recorder.flush()
        except RecordsError:
            pass
        else:
            self.acknowledged, self.acknowledged_ends = set(self.said), set(self.ended)

    @rule(dying=st.integers(0, 24))
    @precondition(lambda self: self.said)
    def die(self, dying: int) -> None:
        """The driver dies in the middle of a write; a further one takes over from what is there."""
        begin = self.disk.count + 1 + dying
        self.disk.fails = lambda count: count >= begin
        try:
            self.recorder.flush()
        except RecordsError:
            pass
        else:
            self.acknowledged, self.acknowledged_ends = set(self.said), set(self.ended)
        self.open()
        self.said = set(self.read())
        self.started = {row.trial for row in self.events() if row.event == State.PENDING and row.trial is not None}
        self.ended = {row.trial for row in self.events() if row.event == State.COMPLETED and row.trial is not None}
        self.last = {trial: max(step for number, step in self.said if number == trial) for trial, _ in self.said}
        self.running = dict(enumerate(sorted(self.started - self.ended)))

    def read(self) -> list[tuple[int, int]]:
        return [(row["trial"], row["step"]) for row in metrics_table(self.paths, ["trial", "step"]).to_pylist()]

    def events(self) -> list[EventRow]:
        return event_rows(events_table(self.paths))

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        rows = self.read()
        assert len(set(rows)) == len(rows)
        assert self.acknowledged <= set(rows) <= self.said
        for trial in self.started:
            steps = [step for number, step in rows if number == trial]
            assert steps == sorted(steps)

    @invariant()
    def a_reader_sees_causes_before_effects(self) -> None:
        events, rows = self.events(), self.read()
        started = [row.trial for row in events if row.event == State.PENDING]
        ended = [row.trial for row in events if row.event == State.COMPLETED]
        assert len(set(started)) == len(started)
        assert len(set(ended)) == len(ended)
        assert {trial for trial, _ in rows} <= set(started)
        assert self.acknowledged_ends <= set(ended) <= self.ended
        for trial in set(ended):
            assert {row for row in self.said if row[0] == trial} <= set(rows)
        assert {row.trial for row in trial_rows(trials_table(self.paths), {"x": "float"})} <= set(ended)

    def teardown(self) -> None:
        self.directory.cleanup()


TestStore = Store.TestCase
TestStore.settings = settings(derandomize=True, deadline=None, max_examples=50, stateful_step_count=25)
