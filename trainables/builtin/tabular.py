"""A dense network on any CSV or Parquet table: binary or multiclass classification, or regression.

The hyperparameters are those of the article "Hyperparameter Tuning in Deep Learning": learning rate, batch size,
epochs, layers, neurons per layer, activation, regularisation, optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_data import Table, load, load_with_test
from trainables.configuration import complete
from trainables.contract import REQUIRED, Hyperparameter, Trial, declare
from trainables.process.seeding import seed_all
from trainables.supervised import Examples, Training, fit
from trainables.supervised import evaluate as evaluate_model
from trainables.tasks import Task

if TYPE_CHECKING:
    from torch import nn, optim

HYPERPARAMETERS = (
    Hyperparameter(name="data", type=Path, default=REQUIRED, meaning="CSV or Parquet file, a row per example"),
    Hyperparameter(name="target", type=str, default=REQUIRED, meaning="column to predict; all others are features"),
    Hyperparameter(
        name="task",
        type=str,
        default="auto",
        choices=("auto", "binary", "multiclass", "regression"),
        meaning="what the target is; auto: found from its values",
    ),
    Hyperparameter(name="epochs", type=int, default=30, low=1, meaning="passes over the training rows"),
    Hyperparameter(name="lr", type=float, default=1e-3, low=0.0, meaning="learning rate"),
    Hyperparameter(name="batch_size", type=int, default=128, low=1, meaning="rows per update"),
    Hyperparameter(name="layers", type=int, default=2, low=0, meaning="hidden layers; 0: a linear model"),
    Hyperparameter(name="width", type=int, default=64, low=1, meaning="neurons of each hidden layer"),
    Hyperparameter(
        name="activation",
        type=str,
        default="relu",
        choices=("relu", "gelu", "tanh"),
        meaning="after each layer",
    ),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of neurons dropped in training",
    ),
    Hyperparameter(name="weight_decay", type=float, default=0.0, low=0.0, meaning="L2 penalty (adamw: decoupled)"),
    Hyperparameter(name="optimizer", type=str, default="adam", choices=("sgd", "adam", "adamw"), meaning="update rule"),
    Hyperparameter(
        name="momentum",
        type=float,
        default=0.9,
        low=0.0,
        high=1.0,
        meaning="momentum of sgd; the other optimizers ignore it",
    ),
    Hyperparameter(name="split_seed", type=int, default=0, low=0, meaning="seed of the split into the three parts"),
    Hyperparameter(
        name="validation", type=float, default=0.2, low=0.0, high=1.0, meaning="share of the rows for validation"
    ),
    Hyperparameter(
        name="test",
        type=float,
        default=0.2,
        low=0.0,
        high=1.0,
        meaning="share of the rows that no trial sees",
    ),
    Hyperparameter(
        name="data_fraction",
        type=float,
        default=1.0,
        low=0.0,
        high=1.0,
        meaning="share of the training rows to use, to see whether more data helps",
    ),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a trained network on the test set: ``test_loss`` and the other scores of :func:`train`.

    Raises:
        ValueError: There is no test set, or the configuration, the file or the target cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)

    import torch

    table, part = load_with_test(config["data"], **_options(config))
    task = _task(table)
    return evaluate_model(
        network(len(table.features), task.outputs, config).to(trial.device),
        trial,
        task=task,
        test=Examples(inputs=torch.from_numpy(part.inputs), targets=torch.from_numpy(part.targets)).to(trial.device),
    )


@declare(
    *HYPERPARAMETERS,
    length="epochs",
    metrics=tuple(
        f"{part}_{score}" for part in ("train", "val") for score in ("loss", "accuracy", "auroc", "rmse", "r2")
    ),
    curves=("train_loss", "val_loss"),
    evaluate=evaluate,
)
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Train a dense network on a table and report train_* and val_* scores after each epoch.

    Every task reports train_loss and val_loss. Classification also reports train_accuracy, val_accuracy, train_auroc
    and val_auroc (multiclass: the mean over each class against the rest); regression reports train_rmse and val_rmse,
    in the units of the target, and train_r2 and val_r2. On a CPU with the same number of threads, the same
    configuration and ``trial.seed`` give the same reports.

    Raises:
        ValueError: The configuration, the file or the target cannot be used.
        OSError: The file cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)

    import torch

    table = load(config["data"], **_options(config))
    seed_all(trial.seed)  # a notebook does not seed the process, a sweep does
    task = _task(table)
    model = network(len(table.features), task.outputs, config).to(trial.device)
    training = Training(
        model=model,
        optimizer=optimizer(model, config),
        task=task,
        train=Examples(inputs=torch.from_numpy(table.train_inputs), targets=torch.from_numpy(table.train_targets)).to(
            trial.device
        ),
        validation=Examples(
            inputs=torch.from_numpy(table.validation_inputs),
            targets=torch.from_numpy(table.validation_targets),
        ).to(trial.device),
        batch_size=config["batch_size"],
        seed=trial.seed,
    )
    fit(training, trial, epochs=config["epochs"])


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``load``."""
    return {
        "target": config["target"],
        "task": config["task"],
        "seed": config["split_seed"],
        "validation": config["validation"],
        "test": config["test"],
        "fraction": config["data_fraction"],
    }


def _task(table: Table) -> Task:
    outputs = len(table.classes) if table.task == "multiclass" else 1
    return Task(name=table.task, outputs=outputs, scale=table.target_scale)


def network(inputs: int, outputs: int, config: Mapping[str, Any]) -> nn.Sequential:
    """A dense network [rows, inputs] → [rows, outputs] with ``layers`` hidden layers of the same width."""
    from torch import nn

    activation = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}[config["activation"]]
    modules: list[nn.Module] = []
    for _ in range(config["layers"]):
        modules += [nn.Linear(inputs, config["width"]), activation(), nn.Dropout(config["dropout"])]
        inputs = config["width"]
    return nn.Sequential(*modules, nn.Linear(inputs, outputs))


def optimizer(model: nn.Module, config: Mapping[str, Any]) -> optim.Optimizer:
    """The optimizer of the model's parameters; its update is fused into one kernel where torch can."""
    from torch import optim

    rule, more = {
        "sgd": (optim.SGD, {"momentum": config["momentum"]}),
        "adam": (optim.Adam, {}),
        "adamw": (optim.AdamW, {}),
    }[config["optimizer"]]
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    return rule(model.parameters(), lr=config["lr"], weight_decay=config["weight_decay"], fused=fused, **more)
