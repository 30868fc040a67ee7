"""Scores a sweep's best trial on the test part, once, and records it.

The test part tells how good the result is only as long as nothing is chosen by it. So what came out is recorded as
an event, a second call reads it from there, and a further look, at another winner, is counted as one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, chdir, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.analysis.compare.repeats import best_in
from orchestrator.analysis.summary.evaluations import Evaluation, evaluations
from orchestrator.analysis.summary.kept_checkpoint import kept_checkpoint
from orchestrator.analysis.summary.ranking import RankedTrial, full_config
from orchestrator.control.lease import LeaseHeldError
from orchestrator.control.lease_hold import held
from orchestrator.core.rows import EVALUATION, EventRow, Failure
from orchestrator.errors import RecordsError, SweepError, UserError
from orchestrator.records.encode import events_table
from orchestrator.records.load import trials_table
from orchestrator.records.parquet_log import Log
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import EVENTS
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.fingerprint import changes, code_of, fingerprints
from orchestrator.spec.load_trainable import declared, load
from orchestrator.worker.failures import describe
from trainables import BUILTIN
from trainables import evaluation as scoring
from trainables.checkpoints.snapshot import DamagedCheckpoint
from trainables.contract import declaration_of
from trainables.process.isolation import Isolation


class EvaluationError(SweepError):
    """The trainable's ``evaluate`` raised.

    Attributes:
        failure: What it raised.
        own: Whether it is the user's code.
    """

    def __init__(self, trainable: str, failure: Failure) -> None:
        self.failure = failure
        self.own = trainable not in BUILTIN
        place = failure.fingerprint.rpartition(" at ")[2] if self.own else trainable
        super().__init__(f"evaluate failed with {failure.type}: {failure.message} ({place}); nothing was recorded")


def evaluate_best(
    paths: SweepPaths, info: SweepInfo, *, waiting: Callable[[str], None]
) -> tuple[Evaluation, list[Evaluation]]:
    """The scores of the best trial, and all looks at the test part that were taken before.

    If it has been scored, with the result that it has now, it is the last of these: nothing is scored again.

    Args:
        paths: The sweep's files.
        info: What sweep.json holds.
        waiting: Is told, in a sentence, what is being waited for.

    Raises:
        UserError: The sweep runs; or as for :func:`evaluate`.
        RecordsError: The records cannot be read or written.
        SweepError: No trial has a result.
    """
    paths = SweepPaths(paths.root.absolute())  # the working directory changes meanwhile
    earlier = evaluations(paths)
    known = _known(earlier, best_in(paths, info))
    if known is not None:
        return known, earlier
    try:
        with held(paths, waiting) as check:
            best, earlier = best_in(paths, info), evaluations(paths)  # as they are now that nobody changes them
            known = _known(earlier, best)
            if known is None:
                known = evaluate(paths, info, best)
                check()
                record(paths, known)
    except LeaseHeldError as error:
        raise UserError(f"{error}: its best trial may still change; evaluate it when the sweep has ended") from error
    return known, earlier


def evaluate(paths: SweepPaths, info: SweepInfo, trial: RankedTrial) -> Evaluation:
    """Score a trial's checkpoint on the test part, in this process.

    Raises:
        UserError: The trainable does not say how, there is no checkpoint, or the data changed since the launch.
        EvaluationError: The trainable's evaluate raised.
        RecordsError: The checkpoint is damaged, or the records cannot be read.
    """
    paths, base = SweepPaths(paths.root.absolute()), Path(info.directory)
    if not base.is_dir():
        raise UserError(
            f"{paths.name} was launched in {base}, where its trainable and data are; there is no such place"
        )
    spec = parse_spec(info.spec, base=base, resolve=declared)
    trainable = load(spec.trainable, base)
    if not scoring.evaluates(trainable):
        raise UserError(_how_to(spec, trainable))
    changed = changes(info.fingerprints, fingerprints(spec, declaration_of(trainable), trainable, base))
    data = [name for name in changed if name != code_of(spec)]
    if data:
        raise UserError(
            f"since {info.name} was launched, {' and '.join(data)} changed: rows that it was trained on may be in the"
            " test part now"
        )
    checkpoint = kept_checkpoint(paths, info, trial)
    try:
        restoring = scoring.Restoring(checkpoint.path)
    except DamagedCheckpoint as error:
        raise RecordsError(f"{checkpoint.path} is damaged: {error}") from error
    except OSError as error:
        raise RecordsError(f"cannot read {checkpoint.path}: {error.strerror or error}") from error
    return Evaluation(
        trial=trial.trial,
        at=datetime.now(UTC),
        step=restoring.found.step,
        value=trial.value,
        scores=_scores(paths, info, trial, spec, trainable, restoring),
        checkpoint=checkpoint.name,
        changed=tuple(changed),
    )


def record(paths: SweepPaths, found: Evaluation) -> None:
    """Append it to the sweep's events. The lease must be the caller's.

    Raises:
        RecordsError: The records cannot be written.
    """
    log = Log(paths.events, EVENTS)
    if log.schema != EVENTS:
        raise RecordsError(f"{paths.events} was written by another version, and nothing can be added to it")
    row = EventRow(
        at=found.at.timestamp(),
        event=EVALUATION,
        trial=found.trial,
        step=found.step,
        value=found.value,
        reason=f"its {found.checkpoint} checkpoint was scored on the test part",
        detail={"scores": dict(found.scores), "checkpoint": found.checkpoint, "changed": list(found.changed)},
    )
    log.append(events_table([row], paths.name))
    log.write()


def _known(earlier: list[Evaluation], best: RankedTrial) -> Evaluation | None:
    """The evaluation of that trial, unless it has gone on since and become better."""
    return next((each for each in reversed(earlier) if (each.trial, each.value) == (best.trial, best.value)), None)


def _how_to(spec: Spec, trainable: Callable[..., Any]) -> str:
    if spec.trainable in BUILTIN:
        return f"{spec.trainable} has no test part to be scored on"
    if isinstance(trainable, type):
        return f"{spec.trainable} does not say how it is scored: give the class a method evaluate() that returns scores"
    return (
        f"{spec.trainable} does not say how it is scored: write evaluate(config, trial), which loads what"
        " trial.restore() gives and returns scores by name, and set"
        f" {getattr(trainable, '__name__', 'train')}.evaluate = evaluate"
    )


def _scores(
    paths: SweepPaths,
    info: SweepInfo,
    trial: RankedTrial,
    spec: Spec,
    trainable: Callable[..., Any],
    checkpoint: scoring.Restoring,
) -> dict[str, float]:
    """Run it as a trial is run: in the spec's directory, seeded, and what it changes in the process set back."""
    declaration = declaration_of(trainable)
    defaults = declaration.defaults() if declaration is not None else {}
    seeds = trials_table(paths, ["trial", "seed"]).to_pylist()
    seed = next(row["seed"] for row in seeds if row["trial"] == trial.trial)
    with ExitStack() as stack:
        stack.enter_context(chdir(info.directory))
        stack.enter_context(redirect_stdout(sys.stderr))  # what it prints is no part of the command's answer
        isolation = Isolation()
        stack.callback(isolation.restore)
        isolation.prepare(seed=seed, threads=max(1, int(spec.resources.cpu)))
        try:
            return scoring.evaluate(
                trainable,
                checkpoint,
                config={**defaults, **full_config(info, trial)},
                number=trial.trial,
                seed=seed,
                directory=paths.trial(trial.trial),
            )
        except (Exception, SystemExit) as error:
            raise EvaluationError(spec.trainable, describe(error)) from error
