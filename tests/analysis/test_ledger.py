"""The ledger: every second of a slot is in it once, and what early stopping saved is in none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.time.ledger import Ledger, TrialTime, accounts, ledger_in, ledger_of
from orchestrator.cli.views.ledger import ledger_text
from orchestrator.core.rows import State
from orchestrator.core.time_account import TimeAccount, total
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from tests.cli.recorded import record

EXAMPLE = SweepPaths(Path(__file__).resolve().parents[2] / "results" / "churn-example")
seconds = st.floats(0, 1e6, allow_subnormal=False)


def account(**parts: float) -> TimeAccount:
    """A session whose slots' time is the sum of its parts."""
    parts = {"start_up_s": 0.0, "training_s": 0.0, "scheduling_s": 0.0, "idle_s": 0.0} | parts
    return TimeAccount(wall_s=sum(parts.values()), slots_s=sum(parts.values()), recording_s=0.0, **parts)


def test_of_a_real_sweep_the_parts_are_the_time_of_its_slots() -> None:
    found = ledger_in(EXAMPLE, read_sweep_json(EXAMPLE.info))
    recorded = total(accounts(EXAMPLE))
    assert recorded is not None
    assert found.total == pytest.approx(recorded.slots_s, rel=1e-6)
    trained = sum(trials_table(EXAMPLE, ["train_s"])["train_s"].to_pylist())
    assert sum(found.seconds[part] for part in ("useful", "stopped")) == pytest.approx(trained)
    assert sum(found.trials.values()) == 60


@given(
    st.lists(
        st.builds(TrialTime, state=st.sampled_from(State), train_s=seconds, gpus=st.sampled_from([0.5, 1.0, 2.0]))
    ),
    seconds,
    seconds,
    st.floats(1, 1e6),
    st.booleans(),
)
def test_no_second_is_lost(spent: list[TrialTime], waiting: float, start_up: float, idle: float, on_gpus: bool) -> None:
    if not on_gpus:
        spent = [TrialTime(state=each.state, train_s=each.train_s) for each in spent]
    trained = sum(each.train_s for each in spent)
    sessions = [
        account(training_s=trained, idle_s=idle),
        account(scheduling_s=waiting, start_up_s=start_up),
    ]
    found = ledger_of(spent, sessions, sessions=2)
    assert found.total == pytest.approx(sum(found.seconds.values()))
    assert sum(found.trials.values()) == len(spent)
    if found.unit == "slot":
        assert found.total == pytest.approx(sum(session.slots_s for session in sessions))
    else:
        gpus = found.seconds["idle"] / idle  # of a slot
        assert 0.49 < gpus < 2.01
        trained_gpus = sum(each.train_s * each.gpus for each in spent)
        assert found.total == pytest.approx(trained_gpus + gpus * (waiting + start_up + idle))


class TestSaved:
    def saved(self, *spent: TrialTime, length: float | None = 30) -> Ledger:
        return ledger_of(spent, [], sessions=0, length=length)

    def test_at_its_own_mean_time_a_step(self) -> None:
        found = self.saved(
            TrialTime(state=State.COMPLETED, train_s=90, steps=30),
            TrialTime(state=State.STOPPED, train_s=4, steps=2),
            TrialTime(state=State.STOPPED, train_s=10, steps=10),
            TrialTime(state=State.STOPPED, train_s=3),  # stopped before it reported
        )
        assert found.saved == 28 * 2 + 20 * 1
        assert found.in_full == 90 + 4 + 10 + 3 + 76

    def test_in_gpu_seconds(self) -> None:
        assert self.saved(TrialTime(state=State.STOPPED, train_s=10, steps=10, gpus=4)).saved == 20 * 4

    def test_of_a_short_training_only_what_was_left_of_it(self) -> None:
        assert self.saved(TrialTime(state=State.STOPPED, train_s=10, steps=10, length=15)).saved == 5

    @pytest.mark.parametrize("state", [State.COMPLETED, State.DIVERGED, State.FAILED])
    def test_nothing_where_nothing_was_stopped(self, state: State) -> None:
        assert self.saved(TrialTime(state=state, train_s=4, steps=2)).saved is None

    def test_unknown_where_nobody_knows_how_long_a_training_is(self) -> None:
        assert self.saved(TrialTime(state=State.STOPPED, train_s=4, steps=2), length=None).saved is None

    def test_the_spec_knows_it_where_no_trial_completed(self, tmp_path: Path) -> None:
        paths = record(tmp_path, halt_after=4)
        states = trials_table(paths, ["state"])["state"].to_pylist()
        assert "stopped" in states
        assert "completed" not in states
        assert ledger_in(paths, read_sweep_json(paths.info)).saved


class TestWithoutAnAccount:
    def test_the_trials_know_the_rest_of_their_own_time(self) -> None:
        spent = [TrialTime(state=State.RUNNING, train_s=4, waiting_s=1, startup_s=2)]
        found = ledger_of(spent, [], sessions=1)
        assert (found.seconds["unfinished"], found.seconds["waiting"], found.seconds["start-up"]) == (4, 1, 2)
        assert "1 of 1 session left no time account" in ledger_text("churn", found)

    def test_no_trials_yet(self) -> None:
        found = ledger_of([], [], sessions=0)
        assert found.total == 0
        assert ledger_text("churn", found).splitlines()[-1].split() == ["total", "0.0", "0%"]


def test_what_is_long_is_told_in_hours() -> None:
    spent = [
        TrialTime(state=State.COMPLETED, train_s=36_000, gpus=2),
        TrialTime(state=State.DIVERGED, train_s=3_600, gpus=2),
    ]
    text = ledger_text("churn", ledger_of(spent, [account(training_s=39_600, idle_s=1_800)], sessions=1))
    assert "where its GPU-hours went" in text
    assert [line.split()[-5:-2] for line in text.splitlines() if line.startswith("diverged")] == [["2.0", "9%", "██"]]
