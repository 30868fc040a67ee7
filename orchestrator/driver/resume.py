"""Resumes a sweep from its records and its saved spec: continues an interrupted sweep, or extends a finished one."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.engine import Embedded, Engine
from orchestrator.analysis.earlier.saved import saved_earlier
from orchestrator.core.extend import Extension, extend, full_length, retry
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.session import ObserverFactory, Session
from orchestrator.driver.wait_for_node import wait_for_node
from orchestrator.errors import CodeChangedError, RecordsError, UserError
from orchestrator.formatting import listed
from orchestrator.records.code_copy import write_code
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths, numbered
from orchestrator.records.provenance import SweepInfo, read_sweep_json, redacted, write_sweep_json
from orchestrator.sites.code_origin import code_origin, current_job
from orchestrator.sites.placement import need_of, reached
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import changed_fingerprints, fingerprints
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function
from orchestrator.worker.report_journal import remove
from trainables.checkpoints.files import tidy
from trainables.contract import declaration_of


def resume(
    paths: SweepPaths,
    *,
    extension: Extension | None = None,
    again: Collection[State] = (),
    allow_change: bool = False,
    train: Callable[..., Any] | None = None,
    engine: Engine | None = None,
    observer: ObserverFactory | None = None,
    wait: Callable[[str], object] | None = None,
) -> SweepPaths:
    """Resume a sweep and run it to its end.

    Args:
        paths: The sweep's files.
        extension: New totals.
        again: Trials that ended in one of these states are retried, as new trials that do not count in the budget.
        allow_change: Resume although the trainable's code or the data has changed since the launch.
        train: The trainable, if it was given from Python at the launch.
        engine: Where the sweep continues, on the engine of the launch or another; None: embedded in this process.
        observer, wait: As for ``launch``.

    Returns:
        The sweep's files.

    Raises:
        UserError: Another driver runs the sweep, the function is missing, a new total is less than what is used
            already, or there is nothing to retry.
        CodeChangedError: The trainable's code or the data has changed.
        SpecError: The saved spec no longer fits the trainable.
        RecordsError, InterruptedSweepError, TrialsFailedError, NoResultError: As for ``launch``.
    """
    extension, engine = extension or Extension(), engine or Embedded()
    info, sent = read_sweep_json(paths.info), code_origin()
    continued = _continuation(info, sent.base if sent else Path(info.directory), extension, train)
    source = continued.source
    if continued.changed and not allow_change:
        changed, pronoun = listed(continued.changed), "has" if len(continued.changed) == 1 else "have"
        raise CodeChangedError(
            f"{changed} {pronoun} changed since {info.name} was launched, so new trials would not be comparable."
            " Pass --allow-change (in Python: allow_change=True) to resume anyway."
        )
    with reached(engine):
        check_trainable(source)
        if wait is not None:
            wait_for_node(engine, source.spec, wait)
        nodes = engine.nodes()
        check_nodes(engine, nodes, need_of(source.spec, nodes), paths.root)
        with Session.open(source, paths, engine, observer, earlier=saved_earlier(paths)) as session:
            _rebuild(session.sweep, paths, source)
            _forget_unrecorded(session.sweep, paths)
            _extend(session.sweep, info.name, continued, extension, again)
            entry = {
                "at": datetime.now(UTC).isoformat(),
                "command": sent.command if sent else redacted(sys.argv),
                "engine": engine.name,
                "changed": continued.changed,
                "grown": continued.overrides,
                "retried": sorted(again),
            }
            write_code(paths.code, source.code)
            write_sweep_json(
                paths.info,
                dataclasses.replace(
                    info,
                    spec=source.spec.to_plain(),
                    fingerprints=continued.fingerprints,
                    jobs=[*info.jobs, current_job()] if sent else info.jobs,
                    resumed=[*info.resumed, entry],
                ),
            )
            session.run()
        return session.result()


@dataclass(frozen=True, kw_only=True)
class _Continuation:
    """A recorded sweep as it is to continue."""

    source: Source
    fingerprints: dict[str, str]  # of the code and data as they are now
    changed: list[str]  # what of these differs from the launch
    full_length_before: int | None  # the last step of a full training, before the extension
    overrides: list[str]  # how the extension changes the spec


def _continuation(info: SweepInfo, base: Path, extension: Extension, train: Callable[..., Any] | None) -> _Continuation:
    resolve = declared if train is None else lambda _reference, _base: declaration_of(train)
    before = parse_spec(info.spec, base=base, resolve=resolve)
    declaration = resolve(before.trainable, base)
    overrides = extension.overrides(before, declaration)
    source = Source(
        spec=parse_spec(info.spec, base=base, overrides=overrides, resolve=resolve),
        text=b"",
        base=base,
        declaration=declaration,
        function=train,
        packed=None if train is None else pack_function(train),
    )
    now = fingerprints(source.code, source.spec, declaration, base)
    return _Continuation(
        source=source,
        fingerprints=now,
        changed=changed_fingerprints(info.fingerprints, now),
        full_length_before=full_length(before, declaration),
        overrides=overrides,
    )


def _rebuild(sweep: Sweep, paths: SweepPaths, source: Source) -> None:
    """Bring the state machine to where the recorded one was."""
    kinds = {name: distribution.kind for name, distribution in source.spec.distributions().items()}
    recorded = Recorded(
        events=event_rows(events_table(paths)),
        metrics=metric_rows(metrics_table(paths)),
        trials=trial_rows(trials_table(paths), kinds),
    )
    replay(sweep, recorded, time.time())


def _forget_unrecorded(sweep: Sweep, paths: SweepPaths) -> None:
    """Remove what is left of trials that a killed driver had started but not recorded: other trials get their numbers.

    Raises:
        RecordsError: It cannot be removed.
    """
    known = len(sweep.trials)
    try:
        for trial in numbered(paths.all_checkpoints):
            if trial >= known:
                tidy(paths.checkpoints(trial), "none")
        for trial in numbered(paths.journals):
            if trial >= known:
                remove(paths.journal(trial))
    except OSError as error:
        raise RecordsError(f"cannot remove the files of trials that are not recorded: {error}") from error


def _extend(sweep: Sweep, name: str, continued: _Continuation, extension: Extension, again: Collection[State]) -> None:
    """Add what the resume asks for beyond the launch."""
    if sweep.limits.trials is not None and sweep.trial_queue.proposed > sweep.limits.trials:
        raise UserError(
            f"{name} has {sweep.trial_queue.proposed} trials already; --trials is a total and cannot be less"
        )
    now = time.time()
    if again or extension.max_steps is not None:
        sweep.begin(now)
    if extension.max_steps is not None and continued.full_length_before is not None:
        extend(sweep, continued.full_length_before, now)
    if again and not retry(sweep, again, now):
        raise UserError(f"{name} has no {' or '.join(again)} trials left to retry")
