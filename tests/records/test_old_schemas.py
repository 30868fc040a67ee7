"""Sweeps of every schema version so far can be read and resumed.

``schema_v1`` is of `sweep launch v1.yaml` and `sweep resume --retry failed --trials 13`. It has a parameter of
every kind, and trials that completed, diverged, failed and were tried again. It is never made anew: when the schema
changes, another directory comes beside it.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from orchestrator.cli.app import main
from orchestrator.core.build import build_sweep
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import Origin, State
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, load, metrics_table, trials_table
from orchestrator.records.recorder import Recorder
from orchestrator.spec import parse_spec

HERE = Path(__file__).parent


@pytest.fixture(params=["schema_v1"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, so that nothing writes into the fixture."""
    root = tmp_path / "results" / "v1"
    shutil.copytree(HERE / request.param, root)
    return root


def test_it_loads(old: Path) -> None:
    sweep = load(old)
    assert len(sweep.trials) == 16
    assert sweep.trials.state.value_counts().to_dict() == {"diverged": 8, "completed": 5, "failed": 3}
    winner = sweep.trials.loc[sweep.trials.objective.idxmin()]
    assert (winner.trial, winner["config.depth"], winner["config.act"]) == (10, 2, "relu")
    assert json.loads(winner["config.shape"]) == [8]
    assert len(sweep.metrics) == 72
    assert sweep.metrics.gap.map(math.isinf).all()
    assert sweep.metrics.columns[6:].tolist() == ["loss", "gap", "late"]
    assert sweep.metrics.late.notna().sum() == 25
    assert set(sweep.events.event) == {
        "sweep",
        "pending",
        "running",
        "retry",
        "rung",
        "failed",
        "diverged",
        "completed",
    }
    retried = sweep.trials[sweep.trials.origin == "retry"]
    assert retried.retry_of.tolist() == [0, 3, 4]


def test_the_commands_read_it(old: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["ls"], ["show"], ["show", "--failures"], ["show", "--trial", "0"], ["best"]):
        assert main([*arguments, "--results", str(old.parent)]) == 0
    out, _ = capfd.readouterr()
    assert "5 completed, 8 diverged, 3 failed" in out
    assert "depth 3 is broken" in out


def test_a_resume_finds_it_finished_and_could_go_on_recording(old: Path) -> None:
    sweep = load(old)
    spec = parse_spec(sweep.spec, base=old)
    kinds = {name: distribution.kind for name, distribution in spec.distributions().items()}
    machine = build_sweep(spec, None)
    recorded = Recorded(
        events=event_rows(events_table(sweep.paths)),
        metrics=metric_rows(metrics_table(sweep.paths)),
        trials=trial_rows(trials_table(sweep.paths), kinds),
    )
    replay(machine, recorded, at=0.0)
    assert machine.finished
    assert [trial.state.value for trial in machine.trials] == sweep.trials.state.tolist()
    assert [trial.origin for trial in machine.trials].count(Origin.RETRY) == 3
    assert machine.best is not None
    assert machine.best.number == 10

    rows = machine.take(0.0).trials
    with Recorder(sweep.paths, sweep="v1", parameters=kinds, metrics=["loss"]) as recorder:
        for row in rows:
            recorder.trial(row)
    again = load(old)
    assert again.trials.state.tolist() == sweep.trials.state.tolist()
    assert again.trials["config.lr"].tolist() == sweep.trials["config.lr"].tolist()
    assert (again.trials.state == State.COMPLETED).sum() == 5
