"""What the audited trials show of the cuts, from the records of a played sweep and by hand."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from orchestrator.analysis.compare.audit import AuditResult, audit_of
from orchestrator.analysis.summary.overview import Objective
from orchestrator.cli.views.audit import audit_text
from orchestrator.cli.views.sweep import SweepView
from orchestrator.core import events
from orchestrator.simulate.virtual_clock import Outcome, simulate
from tests.analysis.report.made import made
from tests.core.played import by_number, make, steady

LOSS = Objective(metric="loss", mode="min", at="best")


def judged(outcome: Outcome, objective: Objective = LOSS) -> AuditResult:
    trials = {number: dataclasses.asdict(row) for number, row in outcome.trials.items()}
    rows = [dataclasses.asdict(row) for row in outcome.events if row.trial is not None]
    for row in rows:
        row["detail"] = None if row["detail"] is None else json.dumps(row["detail"])
    curves: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for report in outcome.metrics:
        curves[report.trial].append((report.step, report.metrics["loss"]))
    return audit_of(trials, rows, curves, objective=objective, reduction_factor=3, saved_s=100.0)


def played(variant: str, curve: Any = steady, audit: float = 0.2) -> Outcome:
    scheduler = {"method": "asha", "variant": variant, "grace_period": 3, "audit": audit}
    return simulate(make(trials=60, scheduler=scheduler), curve, slots=1)


def test_where_ranks_never_change_no_cut_is_wrong() -> None:
    for variant in ("stop", "promote"):
        found = judged(played(variant))
        assert found.audited
        assert found.best == ()
        assert found.going_on == 0
        assert found.cut > len(found.audited) * 2
        assert found.spent_s > 0


def test_a_late_bloomer_that_was_cut_is_found_out() -> None:
    ran_on = judged(played("stop")).audited
    late = ran_on[0]

    def blooms(start: events.Start) -> Any:
        for seconds, step, metrics in steady(start):
            yield seconds, step, metrics if step <= 3 else {"loss": 0.0}

    found = judged(played("stop", by_number({late: blooms})))
    assert found.best == (late,)
    assert late in found.passed
    assert "trial " + str(late) + " would have become the best" in audit_text(found)


def test_by_hand() -> None:
    trials = {
        n: {"trial": n, "bracket": 0, "state": state, "objective": value, "train_s": seconds}
        for n, (state, value, seconds) in enumerate(
            [("completed", 0.5, 9.0), ("stopped", 0.9, 1.0), ("completed", 0.6, 9.0), ("running", None, 2.0)]
        )
    }
    rung = {"event": "rung", "detail": '{"train_s": 1.0}'}
    rows = [
        {**rung, "trial": 0, "rung": 1, "value": 0.7, "decision": "continue"},
        {**rung, "trial": 1, "rung": 1, "value": 0.9, "decision": "stop"},
        {**rung, "trial": 2, "rung": 1, "value": 0.8, "decision": "audit"},
        {**rung, "trial": 3, "rung": 1, "value": 0.8, "decision": "audit"},
        {**rung, "trial": 0, "rung": 3, "value": 0.6, "decision": "continue"},
        {"event": "completed", "trial": 0, "rung": 3, "value": 0.5, "decision": None, "detail": None},
    ]
    found = audit_of(trials, rows, {2: [(1, 0.8), (3, 0.65)]}, objective=LOSS, reduction_factor=2)
    assert (found.cut, found.audited, found.going_on) == (3, (2,), 1)
    assert (found.best, found.judged, found.passed) == ((), 1, ())
    assert found.spent_s == 8.0 + 1.0
    assert "none would have become the best, 0 of 1 would have been among the best 1/2" in audit_text(found)


def test_without_an_audit_nothing_is_said() -> None:
    assert audit_text(None) == ""


def test_show_reads_it_from_the_records(tmp_path: Path) -> None:
    scheduler = {"method": "asha", "grace_period": 2, "audit": 0.2}
    view = SweepView.of(made(tmp_path, name="audited", scheduler=scheduler), 3)
    assert view.audit is not None
    assert view.audit.audited
    assert view.audit.saved_s is not None
    assert view.audit.saved_s > view.audit.spent_s > 0
    assert f"audit: {len(view.audit.audited)} of {view.audit.cut} trials that would be cut ran on" in view.text()
    assert view.data()["audit"]["audited"] == view.audit.audited
    assert SweepView.of(made(tmp_path, name="plain"), 3).data()["audit"] is None
