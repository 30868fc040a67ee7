"""Resumes a sweep from its records and its saved spec: finishes what is unfinished, or lets a finished one grow."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.fingerprint import changes, fingerprints
from orchestrator.launch import run_session
from orchestrator.loading import declared
from orchestrator.placement import Machine
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json, write_sweep_json
from orchestrator.replay import Recorded, replay
from orchestrator.source import Source
from orchestrator.spec import parse_spec
from orchestrator.sweep import Sweep
from orchestrator.tune.drive import Observer
from orchestrator.tune.job import pack_function
from trainables.contract import declaration_of


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a resume may change: absolute totals, not additions. None: as before."""

    trials: int | None = None
    hours: float | None = None
    concurrency: int | None = None

    def overrides(self) -> list[str]:
        """As overrides of the spec."""
        named = {"budget.trials": self.trials, "budget.hours": self.hours, "resources.concurrency": self.concurrency}
        return [f"{key}={value}" for key, value in named.items() if value is not None]


def resume(
    paths: SweepPaths,
    *,
    growth: Growth | None = None,
    allow_change: bool = False,
    train: Callable[..., Any] | None = None,
    machine: Machine | None = None,
    observer: Callable[[Sweep, SweepPaths, int], Observer] | None = None,
    ray: AbstractContextManager[None] | None = None,
) -> SweepPaths:
    """Go on with a sweep.

    Args:
        paths: Its files.
        growth: New totals.
        allow_change: Go on although the trainable's code or the data changed since the launch.
        train: The trainable, if it was given from Python at the launch.
        machine, observer, ray: As for ``launch``.

    Raises:
        UserError: Another driver runs it; code or data changed; the function is missing; or a new total is smaller
            than what is used already.
        SpecError: The saved spec does not fit the trainable any more.
        SweepError: As for ``launch``.
    """
    growth = growth or Growth()
    info = read_sweep_json(paths.info)
    source = _source(info, growth, train)
    now = fingerprints(source.spec, source.declaration, source.trainable(), source.base)
    changed = changes(info.fingerprints, now)
    if changed and not allow_change:
        raise UserError(
            f"since {info.name} was launched, {' and '.join(changed)} changed: its trials would not be comparable."
            " To go on nevertheless: --allow-change"
        )

    def begin(sweep: Sweep) -> None:
        kinds = {name: distribution.kind for name, distribution in source.spec.distributions().items()}
        recorded = Recorded(
            events=event_rows(events_table(paths)),
            metrics=metric_rows(metrics_table(paths)),
            trials=trial_rows(trials_table(paths), kinds),
        )
        replay(sweep, recorded, time.time())
        if len(sweep.trials) > sweep.limits.trials:
            raise UserError(
                f"{info.name} has {len(sweep.trials)} trials already: --trials is a total, and cannot be less"
            )
        entry = {
            "at": datetime.now(UTC).isoformat(),
            "command": list(sys.argv),
            "changed": changed,
            "grown": growth.overrides(),
        }
        write_sweep_json(
            paths.info,
            dataclasses.replace(info, spec=source.spec.to_plain(), fingerprints=now, resumed=[*info.resumed, entry]),
        )

    return run_session(source, paths, begin=begin, machine=machine or Machine(), observer=observer, ray=ray)


def _source(info: SweepInfo, growth: Growth, train: Callable[..., Any] | None) -> Source:
    base = Path(info.directory)
    resolve = declared if train is None else lambda _reference, _base: declaration_of(train)
    spec = parse_spec(info.spec, base=base, overrides=growth.overrides(), resolve=resolve)
    return Source(
        spec=spec,
        text=b"",
        base=base,
        declaration=resolve(spec.trainable, base),
        function=train,
        packed=None if train is None else pack_function(train),
    )
