"""The audit: some trials that would be cut run on, and change nothing for the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EventRow, State
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import Outcome, simulate
from tests.core.played import make, steady

VARIANTS = ["stop", "promote"]


def swept(variant: str, audit: float = 0.0, trials: int = 60) -> tuple[Sweep, Outcome]:
    sweep = built(variant, audit, trials)
    return sweep, simulate(sweep, steady, slots=1)


def built(variant: str, audit: float, trials: int = 60) -> Sweep:
    scheduler = {"method": "asha", "variant": variant, "grace_period": 3, "audit": audit}
    return make(trials=trials, scheduler=scheduler)


def audited(outcome: Outcome) -> set[int]:
    return {row.trial for row in outcome.events if row.decision == "audit" and row.trial is not None}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_share_of_what_would_be_cut_runs_on_to_the_end(variant: str) -> None:
    plain, before = swept(variant)
    cut = {number for number, row in before.trials.items() if row.state is State.STOPPED}
    sweep, outcome = swept(variant, audit=0.2)
    ran_on = audited(outcome)
    assert 0 < len(ran_on) < len(cut) / 2
    assert ran_on <= cut
    for number in ran_on:
        assert (sweep.trials[number].state, sweep.trials[number].last_step) == (State.COMPLETED, 27)
        assert len([row for row in outcome.events if row.trial == number and row.decision == "audit"]) == 1
    others = set(before.trials) - ran_on
    assert [before.trials[number].state for number in others] == [outcome.trials[number].state for number in others]
    assert plain.scheduler.table() == sweep.scheduler.table(), "an audited trial enters no further rung"


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_or_none(variant: str) -> None:
    assert not audited(swept(variant)[1])
    sweep, outcome = swept(variant, audit=1.0)
    assert {row.state for row in outcome.trials.values()} == {State.COMPLETED}
    assert sweep.finished


@settings(derandomize=True, deadline=None, max_examples=30)
@given(data=st.data(), variant=st.sampled_from(VARIANTS))
def test_killed_after_any_record_it_audits_the_same(data: st.DataObject, variant: str) -> None:
    sweep, whole = swept(variant, audit=0.3, trials=20)
    moments = sorted({row.at for row in whole.events})
    at = data.draw(st.sampled_from(moments))
    events = [row for row in whole.events if row.at <= at]
    metrics = [row for row in whole.metrics if row.reported_at <= at]
    again = built(variant, 0.3, trials=20)
    replay(again, Recorded(events=events, metrics=metrics), at=1e6)
    rest = simulate(again, steady, slots=1, began=1e6)

    def decisions(rows: Sequence[EventRow]) -> list[tuple[object, ...]]:
        kinds = ("rung", "paused", "promoted", "completed", "stopped")
        return [(row.trial, row.event, row.rung, row.decision, row.value) for row in rows if row.event in kinds]

    assert sorted(map(str, decisions(events) + decisions(rest.events))) == sorted(map(str, decisions(whole.events)))
    assert again.scheduler.table() == sweep.scheduler.table()
