"""Sweeps recorded without running them, by the real state machine and recorder, from made-up reports."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.ours import source_of
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.source import Source
from trainables.report import Report

WRITE_EVERY = 100  # trials: a real launch that is as quick as it gets writes about as often


def train(config: dict[str, Any], trial: Any) -> None:
    """The trainable of the recorded sweep; a resume trains it."""
    for step in range(1, config["reports"] + 1):
        trial.report(step=step, loss=config["lr"] / step, at=time.time())


def spec_of(trials: int, reports: int, name: str = "sweep") -> dict[str, Any]:
    """The spec of a sweep with this many trials."""
    return {
        "name": name,
        "fixed": {"reports": reports},
        "space": {"lr": {"loguniform": [1e-5, 1e-1]}, "width": {"choice": [16, 32, 64]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random", "seed": 1},
        "budget": {"trials": trials},
    }


def source(trials: int, reports: int, name: str = "sweep") -> Source:
    """The same as a source to launch."""
    return source_of(train, spec_of(trials, reports, name))


def record(results: Path, trials: int, reports: int, name: str = "sweep") -> SweepPaths:
    """Record such a sweep as a launch would, with two trials at a time."""
    begun = source(trials, reports, name)
    spec = begun.spec
    paths = claim(results, name)
    (paths.root / "logs").mkdir()
    paths.spec.write_bytes(begun.text)
    info = collect(
        name=paths.name,
        seed=spec.search.seed,
        trainable=str(spec.trained),
        spec=spec.to_plain(),
        command=begun.command,
        directory=begun.base,
        fingerprints=fingerprints(begun.code, spec, begun.declaration, begun.base),
    )
    write_sweep_json(paths.info, info)
    sweep = build_sweep(spec, None)
    at = time.time() - trials  # a second a trial
    kinds = {name: each.kind for name, each in spec.parameter_space().parameters.items()}
    with Recorder(paths, sweep=paths.name, parameters=kinds, metrics=["loss"]) as recorder:
        while not sweep.finished:
            for start in filter(None, (sweep.ask(at), sweep.ask(at))):
                sweep.on(events.Started(trial=start.trial, at=at))
                measured = [
                    Report(
                        step=step,
                        train_s=step / reports,
                        reported_at=at + step / reports,
                        metrics={"loss": start.config["lr"] / step, "at": at + step / reports},
                    )
                    for step in range(1, reports + 1)
                ]
                sweep.on(
                    events.Reported(trial=start.trial, at=at + 1, reports=measured, node=Node(id="1", name="192.0.2.1"))
                )
                sweep.on(events.Finished(trial=start.trial, at=at + 1, train_s=1.0))
            at += 1
            rows = sweep.take(at)
            recorder.metrics(rows.metrics)
            recorder.events(rows.events)
            for row in rows.trials:
                recorder.trial(row)
            if len(sweep.trials) % WRITE_EVERY == 0:
                recorder.flush()
    return paths
