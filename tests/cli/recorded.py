"""Records sweeps as a launch does, by the real state machine and recorder, but on made-up trials and without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.core.rows import Failure
from orchestrator.core.sweep import Sweep
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.spec import Spec, parse_spec
from trainables.report import Report

SPEC: dict[str, Any] = {
    "name": "made-up",
    "trainable": "train.py:train",
    "fixed": {"epochs": 9, "data": "data/a.csv"},
    "space": {
        "lr": {"loguniform": [1e-6, 1e-1]},
        "kind": {"choice": ["good", "bad", "wild"]},
        "sizes": {"choice": [[8], [8, 16]]},
    },
    "objective": {"metric": "loss", "mode": "min"},
    "search": {"method": "random", "seed": 1},
    "scheduler": {"method": "asha", "grace_period": 1, "reduction_factor": 3},
    "budget": {"trials": 12},
}
T0 = 1_790_000_000.0


def spec(**changes: Any) -> Spec:
    """The spec above, with changes."""
    return parse_spec({**SPEC, **changes}, base=Path("."))


def attempt(sweep: Sweep, at: float) -> float:
    """Run one attempt to its end: "good" gets better, "bad" raises, "wild" diverges. Returns the time."""
    start = sweep.ask(at)
    assert start is not None
    sweep.on(events.Started(trial=start.trial, at=at))
    for step in range(1, 10):
        at += 1
        if start.config["kind"] == "bad" and step == 2:
            failure = Failure(
                type="ValueError",
                message=f"no good\nin trial {start.trial}",
                traceback='File "train.py", line 7, in train\nValueError: no good\n',
                fingerprint="ValueError at train.py:7",
            )
            sweep.on(events.Failed(trial=start.trial, at=at, failure=failure, train_s=step))
            return at
        loss = float("nan") if start.config["kind"] == "wild" and step == 4 else start.config["lr"] + 1 / step
        report = Report(step=step, train_s=step, reported_at=at, metrics={"loss": loss})
        if not sweep.on(events.Reported(trial=start.trial, at=at, reports=[report], node=Node(id="1", name="here"))):
            return at
    sweep.on(events.Finished(trial=start.trial, at=at, train_s=9.0))
    return at


def record(results: Path, *, halt_after: int | None = None, **changes: Any) -> SweepPaths:
    """Record a whole sweep, or one that is halted when so many trials have ended and one runs."""
    checked = spec(**changes)
    paths = claim(results, checked.name or "made-up")
    info = collect(
        name=paths.name,
        seed=checked.search.seed,
        trainable=str(checked.trained),
        spec=checked.to_plain(),
        command=["sweep"],
        directory=results,
        now=T0,
    )
    write_sweep_json(paths.info, info)
    sweep, at = build_sweep(checked, None), T0
    while not sweep.finished and len(sweep.trials) != halt_after:
        at = attempt(sweep, at)
    if not sweep.finished:
        start = sweep.ask(at)
        assert start is not None
        sweep.on(events.Started(trial=start.trial, at=at))
        sweep.on(events.Halted(at=at, reason="interrupted by SIGINT"))
    kinds = {name: each.kind for name, each in checked.distributions().items()}
    with Recorder(paths, sweep=paths.name, parameters=kinds, metrics=["loss"]) as recorder:
        rows = sweep.take(at)
        recorder.metrics(rows.metrics)
        recorder.events(rows.events)
        for row in rows.trials:
            recorder.trial(row)
    return paths
