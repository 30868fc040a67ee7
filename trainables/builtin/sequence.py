"""A network on sequences in any CSV or Parquet table: forecasts of series, or classification of whole sequences.

Forecasts are direct: all steps of the horizon at once, from a window of the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import supervised
from trainables.builtin.sequence_check import check_data, choice_of, require_no_horizon
from trainables.builtin.sequence_data import Sequences, load
from trainables.builtin.sequence_forecast import LOSSES, Forecast
from trainables.builtin.sequence_models import MODELS, NORMALISE, network
from trainables.builtin.sequence_naive import mean_errors
from trainables.builtin.sequence_source import origins
from trainables.builtin.sequence_windows import Windows, forecasts, whole_sequences, with_naive
from trainables.configuration import complete
from trainables.data.split import shares
from trainables.declaration import REQUIRED, Hyperparameter, declare
from trainables.supervised import LossAndScores, recipe
from trainables.trial import Trial

if TYPE_CHECKING:
    from torch import nn

SCORED_AT_ONCE = 1_024
"""Windows per forward pass of an evaluation: bounds its memory."""

HYPERPARAMETERS = (
    Hyperparameter(name="data", type=Path, default=REQUIRED, meaning="CSV or Parquet file, a row per time"),
    Hyperparameter(name="target", type=str, default=REQUIRED, meaning="column to predict; all others are inputs"),
    Hyperparameter(name="time", type=str, default=REQUIRED, meaning="column of the order: numbers or ISO dates"),
    Hyperparameter(name="group", type=str, default=None, meaning="column that tells series apart; none: one series"),
    Hyperparameter(name="ignore", type=list, default=[], meaning="columns that are no inputs"),
    Hyperparameter(
        name="task",
        type=str,
        default="auto",
        choices=("auto", "forecast", "binary", "multiclass", "regression"),
        meaning="forecast, or one value per sequence; auto: the latter if each group has one value of the target",
    ),
    Hyperparameter(name="horizon", type=int, default=1, low=1, meaning="rows ahead that a forecast predicts"),
    Hyperparameter(
        name="window",
        type=int,
        default=48,
        low=1,
        meaning="rows that the model sees; of a whole sequence, the last",
        search={"choice": [24, 48, 96], "ordered": True},
        first=True,
    ),
    Hyperparameter(
        name="season", type=int, default=0, low=0, meaning="rows of a season, for mase; 0: found in the training part"
    ),
    Hyperparameter(
        name="model",
        type=str,
        default="gru",
        choices=MODELS,
        meaning="kind of network",
        search={"choice": list(MODELS)},
        first=True,
    ),
    Hyperparameter(
        name="layers",
        type=int,
        default=1,
        low=1,
        meaning="of the network; tcn: or more, to see the whole window",
        search={"int": [1, 3]},
    ),
    Hyperparameter(
        name="width",
        type=int,
        default=32,
        low=1,
        meaning="numbers per row in each layer; a linear model has none",
        search={"logint": [8, 64]},
        first=True,
    ),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of neurons dropped in training",
        search={"uniform": [0.0, 0.4]},
    ),
    Hyperparameter(
        name="normalise",
        type=str,
        default="window",
        choices=NORMALISE,
        meaning="what a forecast is standardized by: each window, as for a trend; or the series' training part",
        search={"choice": list(NORMALISE)},
    ),
    Hyperparameter(
        name="loss",
        type=str,
        default="mae",
        choices=LOSSES,
        meaning="of a forecast, standardized",
        search={"choice": list(LOSSES)},
    ),
    Hyperparameter(name="split_seed", type=int, default=0, low=0, meaning="seed of the split of whole sequences"),
    *shares(
        validation="share for validation: of the rows, before those for testing; or of the sequences",
        test="share that no trial sees: the last rows, or some sequences",
    ),
    *recipe(lr=3e-3, batch_size=64, clip=1.0),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a trained network on the test part: ``test_loss`` and the other scores of :func:`train`.

    Of a forecast also ``test_mae_naive`` and ``test_mae_seasonal_naive``, the errors of the last value and of the
    value one season ago as forecasts of the same rows, in the units of the target, ``test_mase_naive``, the first
    measured as ``test_mase`` is, and ``test_season``, its rows.

    Raises:
        ValueError: There is no test part, or the configuration, the file or a column cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    data = load(config["data"], choice_of(config))
    if not (data.part == 2).any():
        raise ValueError(f"{data.source}: no test part: its share leaves it without rows")
    test = _windows(data, "test", config)
    found = supervised.evaluate(
        config,
        trial,
        build=_build(data, test),
        task=_task(data, config),
        test=test.on(trial.device),
        scored_at_once=SCORED_AT_ONCE,
    )
    return found | (_naive(data, config) if data.task == "forecast" else {})


def prepare(fixed: Mapping[str, Any]) -> None:
    """Load the data before trials are forked, which then share its memory. What cannot be loaded, each trial says."""
    if {"data", "target", "time"} <= fixed.keys():
        with suppress(ValueError, OSError):
            load(Path(fixed["data"]), choice_of(fixed))


@declare(
    *HYPERPARAMETERS,
    length="epochs",
    metrics=supervised.metrics("mae", "mase", "accuracy", "auroc", "rmse", "r2"),
    curves=("train_loss", "val_loss"),
    evaluate=evaluate,
    prepare=prepare,
    check_data=check_data,
)
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Train a network on sequences and report train_* and val_* scores after each epoch.

    A forecast reports train_mae and val_mae, the mean absolute error in the units of the target, and train_mase and
    val_mase, that over the error of the seasonal naive forecast of the same rows: below 1 is better than that one.
    Whole sequences report what ``tabular`` does: accuracy and auroc, or rmse and r2.
    :func:`trainables.supervised.fit` says what else is reported.

    Raises:
        ValueError: The configuration, the file or a column cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    data = load(config["data"], choice_of(config))
    training, validation = (_windows(data, part, config) for part in ("train", "validation"))
    supervised.fit(
        config,
        trial,
        build=_build(data, training),
        task=_task(data, config),
        train=training.on(trial.device),
        validation=validation.on(trial.device),
        scored_at_once=SCORED_AT_ONCE,
    )


def _windows(data: Sequences, part: str, config: Mapping[str, Any]) -> Windows:
    """The examples of a part.

    Raises:
        DataError: The window, the horizon or the season does not suit the data.
    """
    window, horizon = config["window"], config["horizon"]
    if data.task == "forecast":
        return forecasts(data, part, window=window, horizon=horizon, season=_season(data, config))
    require_no_horizon(data.task, horizon)
    return whole_sequences(data, part, window=window)


def _season(data: Sequences, config: Mapping[str, Any]) -> int:
    return config["season"] or data.season


def _task(data: Sequences, config: Mapping[str, Any]) -> LossAndScores:
    kind = config["loss"]
    return Forecast(kind=kind) if data.task == "forecast" else data.goal


def _build(data: Sequences, examples: Windows) -> partial[nn.Module]:
    forecast = data.task == "forecast"
    return partial(
        network,
        inputs=data.inputs.shape[1] + examples.padded,
        outputs=examples.horizon if forecast else data.goal.outputs,
        window=examples.window,
        forecast=forecast,
    )


def _naive(data: Sequences, config: Mapping[str, Any]) -> dict[str, float]:
    """How far off the forecasts without training are on the test part."""
    import numpy as np

    season, steps = _season(data, config), data.steps
    last = origins(steps, "test", window=config["window"], horizon=config["horizon"])
    naive, seasonal, wanted = with_naive(steps, last, horizon=config["horizon"], season=season)
    errors, series = np.abs(naive - wanted), steps.series[last]
    found = {
        f"test_mae_{name}": float(mean_errors(forecast, wanted, np.zeros_like(series), 1)[0])
        for name, forecast in (("naive", naive), ("seasonal_naive", seasonal))
    } | {"test_season": float(season)}
    unit = mean_errors(seasonal, wanted, series, len(data.unit))[series][:, None]
    comparable = np.isfinite(errors) & (unit > 0)
    return found | ({"test_mase_naive": float((errors / unit)[comparable].mean())} if comparable.any() else {})
