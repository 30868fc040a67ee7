"""`sweep try --data-fractions`: trains one configuration on shares of the training data, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from orchestrator.analysis.diagnosis.curve import Series
from orchestrator.analysis.diagnosis.findings.more_data import DataFraction, fraction_result, more_data
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.live.try_run import TrialRun, first_trial
from orchestrator.cli.views.diagnosis import finding_data, finding_lines
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import config_line
from orchestrator.errors import OptionsError, UserError
from orchestrator.formatting import duration
from orchestrator.spec.source import Source
from trainables.report import Report

HYPERPARAMETER = "data_fraction"
"""The hyperparameter by which a trainable trains on a share of its data."""


def fractions_of(text: str) -> list[float]:
    """Parse the shares in an option, and sort them.

    Raises:
        UserError: Fewer than two shares, or one that is not above 0 and up to 1.
    """
    try:
        shares = sorted({float(word) for word in text.split(",")})
    except ValueError:
        shares = []
    if len(shares) < 2 or shares[0] <= 0 or shares[-1] > 1:
        raise OptionsError(
            f"--data-fractions takes at least two shares above 0 and up to 1, as 0.25,0.5,1, not {text!r}"
        )
    return shares


def compare_fractions(
    found: Source, given: str | None, fractions: Sequence[float], *, steps: int | None, as_json: bool = False
) -> None:
    """Train the sweep's first configuration on each share, with the same seed, and print whether more data helps.

    Args:
        found: The spec.
        given: YAML of values that replace sampled ones.
        fractions: Shares of the training data, the smallest first.
        steps: Stop each training after this many reports.
        as_json: Print a document.

    Raises:
        UserError: The trainable cannot train on a share of its data.
        SpecError: The given values are not in the space.
        SweepError: A trial failed.
    """
    _check(found)
    objective = found.spec.objective
    shares: list[DataFraction] = []
    rows: list[dict[str, Any]] = []
    for fraction in fractions:
        sweep, start = first_trial(found, given)
        if not shares:
            say(f"trial 0: {config_line({**start.config, HYPERPARAMETER: '…'})}")
        trial_run = TrialRun(sweep, steps, print_reports=False)
        trial_run.run(found, start, more={HYPERPARAMETER: fraction})
        trial_run.check()
        trial = sweep.trials[0]
        value = trial.best if objective.at == "best" else trial.last
        shares.append(fraction_result(fraction, value, _series(objective.metric, objective.mode, trial_run.reports)))
        rows.append(_row(shares[-1], objective.metric, trial_run))
        say(f"{fraction:g} of the data: {trial.state} after {duration(trial_run.seconds)}")
    finding = more_data(objective.metric, objective.mode, shares)
    if as_json:
        trained = [
            {"fraction": share.fraction, "value": share.value, "steps": row["steps"]}
            for share, row in zip(shares, rows, strict=True)
        ]
        json_output.document({"fractions": trained, "finding": finding_data(finding)})
        return
    tell(as_table(rows))
    tell("\n".join(finding_lines([finding])))


def _check(found: Source) -> None:
    declaration = found.declaration
    known = [] if declaration is None else [each.name for each in declaration.hyperparameters]
    if HYPERPARAMETER not in known:
        raise UserError(
            f"{found.spec.trained} cannot train on a share of its data, since it declares no hyperparameter"
            f" {HYPERPARAMETER}; declare it with trainables.declaration.declare"
        )


def _series(metric: str, mode: Literal["min", "max"], reports: Sequence[Report]) -> Series:
    found = [(report.step, report.metrics[metric]) for report in reports if metric in report.metrics]
    return Series(name=metric, mode=mode, steps=[step for step, _ in found], values=[value for _, value in found])


def _row(share: DataFraction, metric: str, trial_run: TrialRun) -> dict[str, Any]:
    last = trial_run.reports[-1].metrics if trial_run.reports else {}
    others = {name: value for name, value in last.items() if name in ("train_loss", "val_loss") and name != metric}
    return {"data": share.fraction, metric: share.value, "steps": len(trial_run.reports), **others}
