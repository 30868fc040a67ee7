"""Scores a sweep's best trial on the test set once, and records the scores.

Test scores are unbiased only as long as nothing is selected by them. So the scores are recorded as an event, a second
call reads them from there, and evaluating another winner later counts as a further look at the test set.
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
from orchestrator.code.files import code_files
from orchestrator.control.hold_lease import hold_lease
from orchestrator.control.lease import LeaseHeldError
from orchestrator.core.rows import EVALUATION, EventRow, Failure
from orchestrator.errors import CodeChangedError, RecordsError, StillRunningError, SweepError, UserError
from orchestrator.records.encode import events_table
from orchestrator.records.load import trials_table
from orchestrator.records.parquet_log import ParquetLog
from orchestrator.records.paths import SweepPaths
from orchestrator.records.project import given_again, project_directory
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import EVENTS
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.fingerprint import changed_fingerprints, data_fingerprints, fingerprints
from orchestrator.spec.load_trainable import load
from orchestrator.spec.trial_resources import TrialResources, threads
from orchestrator.worker.failures import describe
from trainables import BUILTIN
from trainables import evaluation as scoring
from trainables.checkpoints.snapshot import DamagedCheckpoint
from trainables.configuration import nested
from trainables.declaration import declaration_of
from trainables.process.isolation import SharedProcess


class EvaluationError(SweepError):
    """The trainable's ``evaluate`` raised.

    Attributes:
        failure: The error that it raised.
        own: Whether the trainable is the user's code.
    """

    code = "evaluation-failed"

    def __init__(self, trainable: str, failure: Failure) -> None:
        self.failure = failure
        self.own = trainable not in BUILTIN
        place = failure.fingerprint.rpartition(" at ")[2] if self.own else trainable
        super().__init__(f"evaluate failed with {failure.type}: {failure.message} ({place}); nothing was recorded")


def evaluate_best(
    paths: SweepPaths, info: SweepInfo, *, waiting: Callable[[str], None], project: Path | None = None
) -> tuple[Evaluation, list[Evaluation]]:
    """The scores of the best trial, and all earlier evaluations.

    A trial that was already scored with its current result is not scored again.

    Args:
        paths: The sweep's files.
        info: The content of sweep.json.
        waiting: Called with a sentence that says what is being waited for.
        project: As for ``evaluate``.

    Raises:
        UserError: The sweep is running, or as for :func:`evaluate`.
        RecordsError: The records cannot be read or written.
        SweepError: No trial has a result.
    """
    paths = SweepPaths(paths.root.absolute())  # absolute, because the working directory changes
    earlier = evaluations(paths)
    known = _known(earlier, best_in(paths, info))
    if known is not None:
        return known, earlier
    try:
        with hold_lease(paths, waiting) as check:
            best, earlier = best_in(paths, info), evaluations(paths)  # again, now that nobody else changes anything
            known = _known(earlier, best)
            if known is None:
                known = evaluate(paths, info, best, project=project)
                check()
                record(paths, info.name, known)
    except LeaseHeldError as error:
        raise StillRunningError(f"{error}; its best trial may still change, so evaluate when it has ended") from error
    return known, earlier


def evaluate(paths: SweepPaths, info: SweepInfo, trial: RankedTrial, *, project: Path | None = None) -> Evaluation:
    """Score a trial's checkpoint on the test set, in this process.

    Args:
        paths: The sweep's files.
        info: The content of sweep.json.
        trial: The trial.
        project: Where code and data are now; None: where they were, or where they have moved along with the sweep.

    Raises:
        UserError: The trainable has no evaluate or cannot be had, the directory of its code is gone, there is no
            checkpoint, or the data have changed since the launch.
        EvaluationError: The trainable's evaluate raised.
        RecordsError: The checkpoint is damaged, or the records cannot be read.
    """
    paths = SweepPaths(paths.root.absolute())
    base = project_directory(paths, info, project)
    given = given_again(paths.name, info, base)
    trainable = load(parse_spec(info.spec, base=base).trained, base) if given is None else given
    declaration = declaration_of(trainable)
    spec = parse_spec(info.spec, base=base, resolve=lambda _reference, _base: declaration)
    if not scoring.evaluates(trainable):
        raise UserError(_how_to(spec, trainable))
    now = fingerprints(code_files(spec.trained, base, given), spec, declaration, base)
    changed = changed_fingerprints(info.fingerprints, now)
    data = [name for name in changed if name in data_fingerprints(spec, declaration, base)]
    if data:
        raise CodeChangedError(
            f"the data have changed since {paths.name} was launched ({', '.join(data)}), so the test set may now"
            " contain rows that the model was trained on"
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
        scores=_scores(paths, base, info, trial, spec, trainable, restoring),
        checkpoint=checkpoint.name,
        changed=tuple(changed),
    )


def record(paths: SweepPaths, sweep: str, found: Evaluation) -> None:
    """Append an evaluation to the sweep's events. The caller must hold the lease.

    Raises:
        RecordsError: The records cannot be written.
    """
    log = ParquetLog(paths.events, EVENTS)
    if log.schema != EVENTS:
        raise RecordsError(f"cannot add to {paths.events}, which was written by another version of sweep")
    row = EventRow(
        at=found.at.timestamp(),
        event=EVALUATION,
        trial=found.trial,
        step=found.step,
        value=found.value,
        reason=f"scored its {found.checkpoint} checkpoint on the test set",
        detail={"scores": dict(found.scores), "checkpoint": found.checkpoint, "changed": list(found.changed)},
    )
    log.append(events_table([row], sweep))
    log.write()


def _known(earlier: list[Evaluation], best: RankedTrial) -> Evaluation | None:
    """The evaluation of the trial with its current result, if there is one."""
    return next((each for each in reversed(earlier) if (each.trial, each.value) == (best.trial, best.value)), None)


def _how_to(spec: Spec, trainable: Callable[..., Any]) -> str:
    if spec.program is not None:
        return (
            "a program cannot be evaluated by sweep: run it yourself on the best checkpoint"
            " (sweep best --checkpoint DIR), or report its test metric, too"
        )
    if spec.trainable in BUILTIN:
        return f"{spec.trainable} has no test set"
    if isinstance(trainable, type):
        return f"{spec.trainable} cannot be evaluated: give the class a method evaluate() that returns scores"
    return (
        f"{spec.trainable} cannot be evaluated: write a function evaluate(config, trial) that loads"
        " trial.restore() and returns scores by name, and set"
        f" {getattr(trainable, '__name__', 'train')}.evaluate = evaluate"
    )


def _scores(
    paths: SweepPaths,
    base: Path,
    info: SweepInfo,
    trial: RankedTrial,
    spec: Spec,
    trainable: Callable[..., Any],
    checkpoint: scoring.Restoring,
) -> dict[str, float]:
    """Run evaluate like a trial: in the spec's directory, seeded, and with changes to the process undone afterwards."""
    declaration = declaration_of(trainable)
    defaults = declaration.defaults() if declaration is not None else {}
    seeds = trials_table(paths, ["trial", "seed"]).to_pylist()
    seed = next(row["seed"] for row in seeds if row["trial"] == trial.trial)
    asked = TrialResources(spec, spec.parameter_space()).of(trial.config)
    with ExitStack() as stack:
        stack.enter_context(chdir(base))
        stack.enter_context(redirect_stdout(sys.stderr))  # what it prints is not part of the command's output
        isolation = SharedProcess()
        stack.callback(isolation.restore)
        isolation.prepare(seed=seed, threads=threads(spec, asked))
        try:
            return scoring.evaluate(
                trainable,
                checkpoint,
                config=nested({**defaults, **full_config(info, trial)}),
                number=trial.trial,
                seed=seed,
                directory=paths.trial(trial.trial),
            )
        except (Exception, SystemExit) as error:
            raise EvaluationError(str(spec.trained), describe(error)) from error
