"""`sweep try --data-fractions`: one configuration on shares of the training data, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import typer

from orchestrator.analysis.diagnosis.curve import Series
from orchestrator.analysis.diagnosis.findings.more_data import DataFraction, fraction_result, more_data
from orchestrator.cli import json_output
from orchestrator.cli.formats import say
from orchestrator.cli.live.try_run import Stage, first_trial
from orchestrator.cli.views.diagnosis import finding_data, finding_lines
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import config_line
from orchestrator.errors import OptionsError, UserError
from orchestrator.formatting import duration
from orchestrator.spec.source import Source
from trainables.contract import Report

HYPERPARAMETER = "data_fraction"
"""What a trainable declares that can be trained on a share of its training data."""


def fractions_of(text: str) -> list[float]:
    """The shares in an option, the smallest first.

    Raises:
        UserError: They are none, or fewer than two.
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
    """Train the sweep's first configuration on each share, with the same seed, and say whether more data helps.

    Args:
        found: The spec.
        given: YAML of values that are to replace drawn ones.
        fractions: Shares of the training data, the smallest first.
        steps: Stop each after so many reports.
        as_json: Print a document.

    Raises:
        UserError: The trainable takes no share of its data.
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
        stage = Stage(sweep, steps, aloud=False)
        stage.run(found, start, more={HYPERPARAMETER: fraction})
        stage.check()
        trial = sweep.trials[0]
        value = trial.best if objective.at == "best" else trial.last
        shares.append(fraction_result(fraction, value, _series(objective.metric, objective.mode, stage.reports)))
        rows.append(_row(shares[-1], objective.metric, stage))
        say(f"{fraction:g} of the data: {trial.state} after {duration(stage.seconds)}")
    finding = more_data(objective.metric, objective.mode, shares)
    if as_json:
        trained = [
            {"fraction": share.fraction, "value": share.value, "steps": row["steps"]}
            for share, row in zip(shares, rows, strict=True)
        ]
        json_output.document({"fractions": trained, "finding": finding_data(finding)})
        return
    typer.echo(as_table(rows))
    typer.echo("\n".join(finding_lines([finding])))


def _check(found: Source) -> None:
    declaration = found.declaration
    known = [] if declaration is None else [each.name for each in declaration.hyperparameters]
    if HYPERPARAMETER not in known:
        raise UserError(
            f"{found.spec.trainable} cannot be trained on a share of its data: it declares no hyperparameter"
            f" {HYPERPARAMETER}; tabular does, and one of your own can: trainables/contract.py has declare()"
        )


def _series(metric: str, mode: Literal["min", "max"], reports: Sequence[Report]) -> Series:
    found = [(report.step, report.metrics[metric]) for report in reports if metric in report.metrics]
    return Series(name=metric, mode=mode, steps=[step for step, _ in found], values=[value for _, value in found])


def _row(share: DataFraction, metric: str, stage: Stage) -> dict[str, Any]:
    last = stage.reports[-1].metrics if stage.reports else {}
    others = {name: value for name, value in last.items() if name in ("train_loss", "val_loss") and name != metric}
    return {"data": share.fraction, metric: share.value, "steps": len(stage.reports), **others}
