"""Resumes a sweep from its records and its saved spec: continues an interrupted sweep, or extends a finished one."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.engine import Embedded, Engine
from orchestrator import steady_clock
from orchestrator.analysis.earlier.saved import saved_earlier
from orchestrator.core import events
from orchestrator.core.extend import Extension, full_length
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import SUGGESTED, State
from orchestrator.core.sweep import Sweep
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.resume_tasks import ResumeTasks, left_undone
from orchestrator.driver.session import ObserverFactory, Session
from orchestrator.driver.signals import GRACE_S
from orchestrator.driver.wait_for_node import wait_for_node
from orchestrator.errors import CodeChangedError, DamagedError, RecordsError, UserError
from orchestrator.formatting import listed, shown
from orchestrator.records.code_copy import write_code
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths, numbered, refuse_links
from orchestrator.records.project import given_again, project_directory
from orchestrator.records.provenance import SweepInfo, read_sweep_json, redacted, write_sweep_json
from orchestrator.records.verify import require_sound
from orchestrator.sites.code_origin import code_origin, current_job
from orchestrator.sites.needs import needs_of
from orchestrator.sites.placement import reached_for
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import changed_fingerprints, fingerprints
from orchestrator.spec.load_trainable import declared, declared_by
from orchestrator.spec.max_step import max_seconds
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function
from orchestrator.worker.report_journal import remove
from trainables.checkpoints.files import tidy


def resume(
    paths: SweepPaths,
    *,
    extension: Extension | None = None,
    again: Collection[State] = (),
    allow_change: bool = False,
    train: Callable[..., Any] | None = None,
    project: Path | None = None,
    engine: Engine | None = None,
    observer: ObserverFactory | None = None,
    wait: Callable[[str], object] | None = None,
    grace_s: float = GRACE_S,
    told: Callable[[str], object] = lambda sentence: None,
) -> SweepPaths:
    """Resume a sweep and run it to its end.

    Args:
        paths: The sweep's files.
        extension: New totals.
        again: Trials that ended in one of these states are retried, as new trials that do not count in the budget.
        allow_change: Resume although the trainable's code or the data has changed since the launch.
        train: The trainable, if it is given from Python; None: as recorded.
        project: Where code and data are now; None: where they were, or where they have moved along with the sweep.
        engine: Where the sweep continues, on the engine of the launch or another; None: embedded in this process.
        observer, wait, grace_s: As for ``launch``.
        told: Called with a sentence that says what is being waited for, before there is an observer.

    Returns:
        The sweep's files.

    Raises:
        UserError: Another driver runs the sweep, its directory is gone, only Python can give its trainable again, a new
            total is less than what is used already, or there is nothing to retry.
        CodeChangedError: The trainable's code or the data has changed.
        SpecError: The saved spec no longer fits the trainable.
        RecordsError, InterruptedSweepError, TrialsFailedError, NoResultError: As for ``launch``.
    """
    extension, engine = extension or Extension(), engine or Embedded()
    info, sent = read_sweep_json(paths.info), code_origin()
    base = sent.base if sent else project_directory(paths, info, project)
    if train is None:
        train = given_again(paths.name, info, base, how=f"orchestrator.run(train={{train}}, resume={paths.name!r})")
    continued = _continuation(info, base, extension, train)
    source = continued.source
    if continued.changed and not allow_change:
        changed, pronoun = listed(continued.changed), "has" if len(continued.changed) == 1 else "have"
        raise CodeChangedError(
            f"{changed} {pronoun} changed since {paths.name} was launched, so new trials would not be comparable."
            " Pass --allow-change (in Python: allow_change=True) to resume anyway."
        )
    with reached_for(engine, source.spec) as remarks:
        check_trainable(source)
        if wait is not None:
            wait_for_node(engine, source.spec, wait)
        nodes = engine.nodes()
        check_nodes(engine, nodes, needs_of(source.spec, nodes), paths.root)
        with Session.open(
            source, paths, engine, observer, earlier=saved_earlier(paths), grace_s=grace_s, told=told
        ) as session:
            refuse_links(paths)
            require_sound(paths)
            recorded = _recorded(paths, source)
            replay(session.sweep, recorded, steady_clock.now())
            _forget_unrecorded(session.sweep, paths)
            _check_total(session.sweep, paths.name)
            tasks = ResumeTasks(old_end=continued.old_end, old_s=continued.old_s, retried=frozenset(again))
            all_tasks = tasks.and_earlier(left_undone(info.resumed, recorded.events))
            if not all_tasks.carry_out(session.sweep, len(info.resumed), steady_clock.now()) and again:
                raise UserError(f"{paths.name} has no {' or '.join(again)} trials left to retry")
            entry = {
                "at": datetime.now(UTC).isoformat(),
                "command": sent.command if sent else redacted(sys.argv),
                "engine": engine.name,
                "changed": continued.changed,
                "grown": continued.overrides,
                **tasks.to_plain(),
            }
            write_code(paths.code, source.code)
            write_sweep_json(
                paths.info,
                dataclasses.replace(
                    info,
                    spec=source.spec.to_plain(),
                    directory=info.directory if sent else str(base),
                    location=os.path.realpath(paths.root),
                    fingerprints=continued.fingerprints,
                    jobs=[*info.jobs, current_job()] if sent else info.jobs,
                    resumed=[*info.resumed, entry],
                ),
            )
            for remark in remarks:
                session.sweep.on(events.Noted(at=steady_clock.now(), text=remark))
            session.run()
        return session.result()


@dataclass(frozen=True, kw_only=True)
class _Continuation:
    """A recorded sweep as it is to continue."""

    source: Source
    fingerprints: dict[str, str]  # of the code and data as they are now
    changed: list[str]  # what of these differs from the launch
    old_end: int | None  # the last step of a full training before the extension made it longer; None: it did not
    old_s: float | None  # the seconds that completed a trial before the extension; None: they are the same
    overrides: list[str]  # how the extension changes the spec


def _continuation(info: SweepInfo, base: Path, extension: Extension, train: Callable[..., Any] | None) -> _Continuation:
    resolve = declared if train is None else lambda _reference, _base: declared_by(train)
    before = parse_spec(info.spec, base=base, resolve=resolve)
    declaration = resolve(before.trained, base)
    overrides, old_end = extension.overrides(before, declaration), full_length(before, declaration)
    source = Source(
        spec=parse_spec(info.spec, base=base, overrides=overrides, resolve=resolve),
        text=b"",
        base=base,
        declaration=declaration,
        function=train,
        packed=None if train is None else pack_function(train),
    )
    old_s = max_seconds(before)
    now = fingerprints(source.code, source.spec, declaration, base)
    return _Continuation(
        source=source,
        fingerprints=now,
        changed=changed_fingerprints(info.fingerprints, now),
        old_end=old_end if full_length(source.spec, declaration) != old_end else None,
        old_s=old_s if max_seconds(source.spec) != old_s else None,
        overrides=overrides,
    )


def _recorded(paths: SweepPaths, source: Source) -> Recorded:
    """All records of the sweep.

    Raises:
        DamagedError: A configuration is not in the space.
    """
    space = source.spec.parameter_space()
    kinds = {name: distribution.kind for name, distribution in space.parameters.items()}
    recorded = Recorded(
        events=event_rows(events_table(paths), paths.events, strict=True),
        metrics=metric_rows(metrics_table(paths)),
        trials=trial_rows(trials_table(paths), kinds, paths.trials_table),
    )
    for event in recorded.events:
        if event.event in (State.PENDING, SUGGESTED) and event.detail is not None:
            for name, value in event.detail["config"].items():
                if name not in space.parameters or not space.parameters[name].contains(value):
                    what = f"{name} of trial {event.trial} is {shown(value)}, which is not in the space"
                    raise DamagedError(f"{paths.events} is damaged: {what}")
    return recorded


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
        for trial in numbered(paths.trials):
            if trial >= known and paths.trial(trial).exists():
                shutil.rmtree(paths.trial(trial))
        for trial in numbered(paths.logs):
            if trial >= known:
                for log in (paths.log(trial), *paths.logs.glob(f"{trial}.rank*.log")):
                    log.unlink(missing_ok=True)
    except OSError as error:
        raise RecordsError(f"cannot remove the files of trials that are not recorded: {error}") from error


def _check_total(sweep: Sweep, name: str) -> None:
    if sweep.limits.trials is not None and sweep.trial_queue.proposed > sweep.limits.trials:
        raise UserError(
            f"{name} has {sweep.trial_queue.proposed} trials already; --trials is a total and cannot be less"
        )
