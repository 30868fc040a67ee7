"""Resumes a sweep from its records and its saved spec: finishes what is unfinished, or lets a finished one grow."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.engine import Embedded, Engine
from orchestrator.core.extend import Extension, extend, full_length, retry
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.driver.launch import run_session
from orchestrator.driver.loop import Observer
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.wait_for_node import wait_for_room
from orchestrator.errors import CodeChangedError, UserError
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json, redacted, write_sweep_json
from orchestrator.sites.code_origin import code_origin, current_job
from orchestrator.sites.placement import need_of, reached
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import changed_fingerprints, fingerprints
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function
from trainables.contract import declaration_of


def resume(
    paths: SweepPaths,
    *,
    extension: Extension | None = None,
    again: Collection[State] = (),
    allow_change: bool = False,
    train: Callable[..., Any] | None = None,
    engine: Engine | None = None,
    observer: Callable[[Sweep, SweepPaths, Callable[[], int]], Observer] | None = None,
    wait: Callable[[str], object] | None = None,
) -> SweepPaths:
    """Go on with a sweep.

    Args:
        paths: Its files.
        growth: New totals.
        again: Trials that ended in one of these states are tried once more, as new trials beside the budget's.
        allow_change: Go on although the trainable's code or the data changed since the launch.
        train: The trainable, if it was given from Python at the launch.
        engine: Where it goes on, which need not be where it was; None: embedded in this process.
        observer, wait: As for ``launch``.

    Raises:
        UserError: Another driver runs it; code or data changed; the function is missing; a new total is smaller
            than what is used already; or there is nothing to try again.
        SpecError: The saved spec does not fit the trainable any more.
        SweepError: As for ``launch``.
    """
    extension, engine = extension or Extension(), engine or Embedded()
    info, sent = read_sweep_json(paths.info), code_origin()
    source, old_end, grown = _source(info, sent.base if sent else Path(info.directory), extension, train)
    now = fingerprints(source.spec, source.declaration, source.trainable(), source.base)
    changed = changed_fingerprints(info.fingerprints, now)
    if changed and not allow_change:
        raise CodeChangedError(
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
        if sweep.trial_queue.proposed > sweep.limits.trials:
            raise UserError(
                f"{info.name} has {sweep.trial_queue.proposed} trials already: --trials is a total, and cannot be less"
            )
        now_s = time.time()
        if again or extension.max_steps is not None:
            sweep.begin(now_s)
        if extension.max_steps is not None and old_end is not None:
            extend(sweep, old_end, now_s)
        if again and not retry(sweep, again, now_s):
            raise UserError(f"{info.name} has no {' or '.join(again)} trial that was not tried again already")
        entry = {
            "at": datetime.now(UTC).isoformat(),
            "command": sent.command if sent else redacted(sys.argv),
            "engine": engine.name,
            "changed": changed,
            "grown": grown,
            "retried": sorted(again),
        }
        write_sweep_json(
            paths.info,
            dataclasses.replace(
                info,
                spec=source.spec.to_plain(),
                fingerprints=now,
                jobs=[*info.jobs, current_job()] if sent else info.jobs,
                resumed=[*info.resumed, entry],
            ),
        )

    with reached(engine):
        check_trainable(source)
        if wait is not None:
            wait_for_room(engine, source.spec, wait)
        nodes = engine.nodes()
        check_nodes(engine, nodes, need_of(source.spec, nodes), paths.root)
        return run_session(source, paths, begin=begin, engine=engine, observer=observer)


def _source(
    info: SweepInfo, base: Path, extension: Extension, train: Callable[..., Any] | None
) -> tuple[Source, int | None, list[str]]:
    """The grown sweep; the last step of a full training before; and what changed, as overrides."""
    resolve = declared if train is None else lambda _reference, _base: declaration_of(train)
    before = parse_spec(info.spec, base=base, resolve=resolve)
    declaration = resolve(before.trainable, base)
    grown = extension.overrides(before, declaration)
    source = Source(
        spec=parse_spec(info.spec, base=base, overrides=grown, resolve=resolve),
        text=b"",
        base=base,
        declaration=declaration,
        function=train,
        packed=None if train is None else pack_function(train),
    )
    return source, full_length(before, declaration), grown
