"""A network on any CSV or Parquet table: binary or multiclass classification, or regression.

The hyperparameters are those of the article "Hyperparameter Tuning in Deep Learning": learning rate, batch size,
epochs, layers, neurons per layer, activation, regularisation, optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import supervised
from trainables.builtin.tabular_check import check_data, choice_of
from trainables.builtin.tabular_data import load
from trainables.builtin.tabular_model import BLOCKS, CATEGORIES, network
from trainables.configuration import complete
from trainables.data.split import shares
from trainables.declaration import REQUIRED, Hyperparameter, declare
from trainables.supervised import Tensors, recipe
from trainables.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORED_AT_ONCE = 16_384
"""Rows per forward pass of an evaluation: bounds its memory."""

HYPERPARAMETERS = (
    Hyperparameter(name="data", type=Path, default=REQUIRED, meaning="CSV or Parquet file, a row per example"),
    Hyperparameter(name="target", type=str, default=REQUIRED, meaning="column to predict"),
    Hyperparameter(
        name="task",
        type=str,
        default="auto",
        choices=("auto", "binary", "multiclass", "regression"),
        meaning="what the target is; auto: found from its values",
    ),
    Hyperparameter(
        name="categories",
        type=str,
        default="one_hot",
        choices=CATEGORIES,
        meaning="text as a column per category, or as numbers that are learnt",
        search={"choice": list(CATEGORIES)},
    ),
    Hyperparameter(
        name="block",
        type=str,
        default="mlp",
        choices=BLOCKS,
        meaning="plain layers, or blocks of two layers with a norm and a shortcut",
        search={"choice": list(BLOCKS)},
    ),
    Hyperparameter(
        name="layers",
        type=int,
        default=2,
        low=0,
        meaning="hidden layers, or blocks; mlp of 0: linear",
        search={"int": [1, 4]},
        first=True,
    ),
    Hyperparameter(
        name="width",
        type=int,
        default=64,
        low=1,
        meaning="neurons of each hidden layer or block",
        search={"logint": [16, 256]},
        first=True,
    ),
    Hyperparameter(
        name="expansion",
        type=int,
        default=2,
        low=1,
        meaning="neurons within a resnet block per neuron of its width; mlp ignores it",
        search={"int": [1, 4], "when": "block == 'resnet'"},
    ),
    Hyperparameter(
        name="activation",
        type=str,
        default="relu",
        choices=("relu", "gelu", "tanh"),
        meaning="after each layer; of a resnet block, after its first",
        search={"choice": ["relu", "gelu", "tanh"]},
    ),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of neurons dropped in training",
        search={"uniform": [0.0, 0.6]},
        first=True,
    ),
    Hyperparameter(name="ignore", type=list, default=[], meaning="columns that are no features"),
    Hyperparameter(
        name="time",
        type=str,
        default=None,
        meaning="column that orders the parts, training first, test last; no feature; none: a random split",
    ),
    Hyperparameter(
        name="group",
        type=str,
        default=None,
        meaning="column whose values are each in one part only; no feature; none: a random split",
    ),
    Hyperparameter(name="split_seed", type=int, default=0, low=0, meaning="seed of the split into the three parts"),
    *shares(validation="share of the rows for validation", test="share of the rows that no trial sees"),
    Hyperparameter(
        name="data_fraction",
        type=float,
        default=1.0,
        low=0.0,
        high=1.0,
        meaning="share of the training rows to use, to see whether more data helps",
    ),
    *recipe(),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a trained network on the test set: ``test_loss`` and the other scores of :func:`train`.

    Raises:
        ValueError: There is no test set, or the configuration, the file or the target cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    table = load(config["data"], choice_of(config))
    test = _examples(*table.test_part(), trial)
    return supervised.evaluate(
        config, trial, build=partial(network, table), task=table.goal, test=test, scored_at_once=SCORED_AT_ONCE
    )


def prepare(fixed: Mapping[str, Any]) -> None:
    """Load the table before trials are forked, which then share its memory.

    If the spec searches over files or targets, nothing is loaded here. What cannot be loaded, each trial says.
    """
    if {"data", "target"} <= fixed.keys():
        with suppress(ValueError, OSError):
            load(Path(fixed["data"]), choice_of(fixed))


@declare(
    *HYPERPARAMETERS,
    length="epochs",
    metrics=supervised.metrics("accuracy", "auroc", "rmse", "r2"),
    curves=("train_loss", "val_loss"),
    evaluate=evaluate,
    prepare=prepare,
    check_data=check_data,
)
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Train a network on a table and report train_* and val_* scores after each epoch.

    Every task reports train_loss and val_loss. Classification also reports train_accuracy, val_accuracy, train_auroc
    and val_auroc (multiclass: the mean over each class against the rest); regression reports train_rmse and val_rmse,
    in the units of the target, and train_r2 and val_r2. :func:`trainables.supervised.fit` says what else is reported.

    Raises:
        ValueError: The configuration, the file or the target cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    table = load(config["data"], choice_of(config))
    supervised.fit(
        config,
        trial,
        build=partial(network, table),
        task=table.goal,
        train=_examples(table.train_inputs, table.train_targets, trial),
        validation=_examples(table.validation_inputs, table.validation_targets, trial),
        scored_at_once=SCORED_AT_ONCE,
    )


def _examples(inputs: NDArray[Any], targets: NDArray[Any], trial: Trial) -> Tensors:
    import torch

    return Tensors(inputs=torch.from_numpy(inputs), targets=torch.from_numpy(targets)).on(trial.device)
