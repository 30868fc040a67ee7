"""Checkpoints of ended trials: those that trial.keep does not cover are removed at once, the best trial's stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State
from orchestrator.driver.checkpoint_retention import CheckpointRetention
from orchestrator.records.paths import SweepPaths
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import parse_spec

LOSSES = [0.5, 0.6, 0.3, 0.9, 0.2, 0.4]


def test_a_stopped_trial_keeps_its_checkpoint_while_it_is_the_best(tmp_path: Path) -> None:
    """With one report each before the rung, the second and later trials are stopped unless they are the best."""
    paths = SweepPaths(tmp_path)
    spec = {
        "trainable": "mine:train",
        "fixed": {"epochs": 9},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "scheduler": {"method": "asha", "variant": "stop", "grace_period": 3, "reduction_factor": 9},
        "budget": {"trials": len(LOSSES)},
    }
    sweep = build_sweep(parse_spec(spec, base=Path()), None)
    retention = CheckpointRetention(sweep, paths, "best")
    left: list[set[int]] = []

    def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
        paths.checkpoints(start.trial).mkdir(parents=True)
        for name in ("best.json", "last.json"):
            (paths.checkpoints(start.trial) / name).touch()
        loss = LOSSES[start.trial]
        yield 1.0, 1, {"loss": loss}  # the best of a trial, better than what comes to the rung
        yield 1.0, 3, {"loss": 2.0 + start.trial}
        yield 1.0, 9, {"loss": 2.0}

    take = sweep.on

    def on(event: events.Event) -> bool:
        goes_on = take(event)
        for row in sweep.take(event.at).trials:
            if row.state.ended:
                retention.trial_ended(row)
                left.append({int(path.name) for path in (tmp_path / "checkpoints").iterdir()})
        return goes_on

    sweep.on = on  # type: ignore[method-assign]
    simulate(sweep, curve, slots=1)
    assert [trial.state for trial in sweep.trials] == [State.COMPLETED] + [State.STOPPED] * 5
    assert left == [{0}, {0}, {0, 2}, {0, 2}, {0, 4}, {0, 4}]
    assert len(list(paths.checkpoints(4).iterdir())) == 2, "its worker may still write"
    retention.finish()
    assert [path.name for path in paths.checkpoints(4).iterdir()] == ["best.json"]
