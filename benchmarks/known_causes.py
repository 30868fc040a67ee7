"""Trainings with known causes: small networks on small tables, in this process.

A cause counts as known if removing it helps: the same training without it ends with a validation loss that is lower
by a tenth of the possible gain on that table. A training counts as healthy if none of the usual remedies helps by
half as much. So labels depend on how trainings end and what was changed, never on the shape of their curves, which is
what the diagnosis looks at. Candidates are tried in order until there are enough.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Config = dict[str, Any]

HELPS = 0.10
"""The least drop in validation loss without the fault, as a share of the possible gain."""

WANTED = {
    "overfitting": 4,
    "underfitting": 4,
    "lr_too_high": 4,
    "lr_too_low": 4,
    "diverged": 4,
    "healthy": 5,
}
"""Number of trainings per table and cause."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A data set to train on."""

    name: str
    given: Config  # data, target and what else the table needs
    good: Config  # a training in order


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A training, as changes to its table's good configuration."""

    cause: str
    changes: Config
    instead: tuple[Config, ...] = ()  # what takes the cause away; of a healthy one, what might help


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished training."""

    table: str
    cause: str
    config: Config
    steps: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...]

    @property
    def end(self) -> float:
        """The final validation loss."""
        return statistics.median(self.validation[-3:]) if all(map(math.isfinite, self.validation)) else math.inf


def candidates(good: Config) -> Iterator[Candidate]:
    """All candidates for a table, in order of preference within a cause."""
    bare = {"dropout": 0.0, "weight_decay": 0.0}
    lr, batch = good["lr"], good["batch_size"]
    sgd = {"optimizer": "sgd", "momentum": 0.9}
    more = {"data_fraction": good.get("data_fraction", 1.0), "dropout": 0.3, "weight_decay": 1e-3}
    whole = more["data_fraction"]
    for changes in (
        {"data_fraction": 0.10 * whole, "width": 256, "layers": 3},
        {"data_fraction": 0.15 * whole, "width": 128, "layers": 2, "lr": 3 * lr},
        {"data_fraction": 0.10 * whole, "width": 256, "layers": 2, **sgd, "lr": 0.05},
        {"data_fraction": 0.20 * whole, "width": 256, "layers": 4},
        {"data_fraction": 0.08 * whole, "width": 512, "layers": 2, "batch_size": 16},
        {"data_fraction": 0.25 * whole, "width": 256, "layers": 3, "activation": "tanh", "lr": 3 * lr},
    ):
        yield Candidate(cause="overfitting", changes=bare | changes, instead=(more,))
    free = {"width": good["width"], "layers": good["layers"], "dropout": 0.1, "weight_decay": 0.0}
    for changes in (
        {"weight_decay": 0.3},
        {"width": 1, "layers": 2, "dropout": 0.0},
        {"dropout": 0.95},
        {"weight_decay": 1.0, "lr": 3 * lr},
        {"width": 2, "layers": 1, "dropout": 0.8},
        {"layers": 0, "weight_decay": 0.5},
        {"width": 1, "layers": 1, "dropout": 0.5},
        {"dropout": 0.97, "width": 2 * good["width"], "activation": "gelu"},
    ):
        yield Candidate(cause="underfitting", changes=changes, instead=(free,))
    for changes in (
        {"lr": 100 * lr},
        {**sgd, "lr": 1.0},
        {"lr": 300 * lr},
        {"lr": 100 * lr, "batch_size": batch // 2, "activation": "tanh"},
        {**sgd, "lr": 3.0, "activation": "tanh"},
        {"lr": 1000 * lr},
        {"lr": 200 * lr, "optimizer": "adamw", "layers": 3},
    ):
        yield Candidate(cause="lr_too_high", changes=changes, instead=({"lr": changes["lr"] / 100},))
    for changes in (
        {"lr": lr / 100},
        {**sgd, "lr": 1e-4},
        {"lr": lr / 300, "optimizer": "adamw"},
        {**sgd, "momentum": 0.0, "lr": 1e-3},
        {"lr": lr / 50, "activation": "tanh"},
        {"lr": lr / 100, "width": 128, "batch_size": 2 * batch},
    ):
        yield Candidate(cause="lr_too_low", changes=changes, instead=({"lr": 100 * changes["lr"]},))
    for changes in (
        {"lr": 1e3},
        {"lr": 1e4, "momentum": 0.99},
        {"lr": 300.0, "momentum": 0.95, "layers": 3},
        {"lr": 1e5, "activation": "gelu"},
        {"lr": 1e3, "width": 128, "layers": 3},
        {"lr": 1e6, "activation": "tanh"},
    ):
        yield Candidate(cause="diverged", changes={**sgd, **bare, **changes}, instead=({"lr": 0.01, "momentum": 0.9},))
    for changes in (
        {},
        {"lr": 2 * lr},
        {**sgd, "lr": 0.02},
        {"dropout": 0.5, "width": 2 * good["width"]},
        {"layers": 1, "lr": 2 * lr},
        {"activation": "gelu", "weight_decay": 1e-2},
        {"activation": "tanh"},
        {"optimizer": "adamw", "weight_decay": 0.1, "batch_size": 2 * batch, "lr": 2 * lr},
        {"dropout": 0.4, "lr": 3 * lr, "batch_size": 2 * batch},
        {"epochs": good["epochs"] // 2},
        {"layers": 1, "width": 16, "weight_decay": 1e-2},
        {"dropout": 0.5, "weight_decay": 1e-2, "epochs": good["epochs"] // 2, "lr": 2 * lr},
        {"layers": 0, "lr": 5 * lr},
        {"epochs": good["epochs"] // 3, "lr": 2 * lr},
        {"layers": 0, "weight_decay": 1e-2, "lr": 10 * lr, "epochs": good["epochs"] // 2},
        {"epochs": good["epochs"] // 3, "batch_size": 2 * batch, "lr": 3 * lr, "dropout": 0.4},
    ):
        config = good | changes
        tried = (
            {"lr": config["lr"] / 3},
            {"lr": config["lr"] * 3},
            {"width": 4 * config["width"]},
            {"dropout": min(0.6, config["dropout"] + 0.3), "weight_decay": 10 * config["weight_decay"]},
            {"dropout": 0.0, "weight_decay": 0.0},
            {"epochs": config["epochs"] // 2},
            {"epochs": config["epochs"] * 2},
        )
        yield Candidate(cause="healthy", changes=changes, instead=tried)
    for changes in (
        {"lr": 20 * lr},
        {"lr": lr / 8},
        {**bare, "width": 128},
        {"dropout": 0.75},
    ):
        yield Candidate(cause="borderline", changes=changes)


def known(table: Table) -> list[Run]:
    """Train the candidates of a table, and keep those with known causes and borderline ones."""
    tried = [(candidate, _train(table, candidate, candidate.changes)) for candidate in candidates(table.good)]
    others = [
        [_train(table, candidate, candidate.changes | instead) for instead in candidate.instead]
        for candidate, _ in tried
    ]
    best = min(run.end for runs in others for run in runs)
    untrained = max(run.validation[0] for _, run in tried if run.cause == "lr_too_low")
    found: list[Run] = []
    for (candidate, run), instead in zip(tried, others, strict=True):
        cause = candidate.cause
        if cause == "borderline":
            found.append(run)
            continue
        helps = max(_gain(run.end, other.end) for other in instead) / (untrained - best)
        fits = helps <= HELPS / 2 if cause == "healthy" else helps >= HELPS
        if math.isinf(run.end) != (cause == "diverged"):
            fits = False  # that it left what a number holds is no matter of opinion
        if fits and sum(each.cause == cause for each in found) < WANTED[cause]:
            found.append(run)
    return found


def _gain(before: float, after: float) -> float:
    """The drop in loss."""
    if math.isinf(after):
        return -math.inf
    return before - after


def _train(table: Table, candidate: Candidate, changes: Config) -> Run:
    from trainables.builtin.tabular import train
    from trainables.trial import Trial

    config = {**table.given, **table.good, **changes}
    trial = Trial(config=config, seed=1)
    train(config, trial)
    return Run(
        table=table.name,
        cause=candidate.cause,
        config={name: value for name, value in config.items() if not isinstance(value, Path)},
        steps=tuple(report.step for report in trial.history),
        train=tuple(report.metrics["train_loss"] for report in trial.history),
        validation=tuple(report.metrics["val_loss"] for report in trial.history),
    )


GOOD: Mapping[str, Any] = {
    "epochs": 60,
    "batch_size": 32,
    "layers": 2,
    "width": 32,
    "dropout": 0.3,
    "weight_decay": 1e-3,
    "optimizer": "adam",
    "lr": 1e-3,
    "activation": "relu",
}


def churn_tables() -> list[Table]:
    """The tables on which thresholds were set: three targets of the churn data, on a tenth of its training rows."""
    given = {"data": Path(__file__).parents[1] / "examples" / "data" / "telco_churn.csv"}
    good = {**GOOD, "data_fraction": 0.1}
    return [
        Table(name="churn", given=given | {"target": "churn"}, good=good),
        Table(name="contract", given=given | {"target": "contract"}, good=good),
        Table(name="tenure", given=given | {"target": "tenure", "task": "regression"}, good=good),
    ]


def measured_tables(directory: Path) -> list[Table]:
    """The tables on which the diagnosis is measured, from scikit-learn; written to the directory."""
    from sklearn import datasets

    tables = []
    for name in ("breast_cancer", "digits", "diabetes"):
        path = directory / f"{name}.parquet"
        getattr(datasets, f"load_{name}")(as_frame=True).frame.to_parquet(path)
        tables.append(Table(name=name, given={"data": path, "target": "target"}, good=dict(GOOD)))
    return tables
