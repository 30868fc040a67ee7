"""An example spec, and the declaration of a trainable that fits it."""

import math
from pathlib import Path

from trainables.declaration import REQUIRED, Declaration, Hyperparameter

EXAMPLE = """\
# How a spec should feel: one glance, no ceremony. Only trainable, space and objective are required.
name: churn
trainable: tabular                     # a built-in, module:attr, or file.py:attr
fixed:                                 # the same for every trial
  data: data/telco_churn.csv
  target: churn
  epochs: 30
space:
  lr: {loguniform: [1e-4, 1e-1]}
  batch_size: {choice: [32, 64, 128, 256], ordered: true}
  layers: {int: [1, 4]}
  width: {logint: [16, 256]}
  activation: {choice: [relu, gelu, tanh]}
  dropout: {uniform: [0.0, 0.6]}
  weight_decay: {loguniform: [1e-6, 1e-1]}
  optimizer: {choice: [sgd, adam, adamw]}
  momentum: {uniform: [0.5, 0.99], when: "optimizer == 'sgd'"}
constraints:
  - "layers * width <= 512"
objective: {metric: val_loss, mode: min, at: best}          # diverged_above: 1e6
search: {method: tpe, seed: 0}
scheduler: {method: asha, grace_period: 2, reduction_factor: 3}
budget: {trials: 60, hours: 1}                              # gpu_hours
resources: {cpu: 1, gpu: auto}
trial: {timeout: 10m, retries: 2, keep: best, isolation: fork}
"""


def hyperparameter(name, type, default=None, *, choices=(), low=-math.inf, high=math.inf) -> Hyperparameter:
    meaning = f"what {name} means"
    return Hyperparameter(name=name, type=type, default=default, meaning=meaning, choices=choices, low=low, high=high)


TABULAR = Declaration(
    hyperparameters=(
        hyperparameter("data", Path, REQUIRED),
        hyperparameter("target", str, REQUIRED),
        hyperparameter("epochs", int, 20, low=1),
        hyperparameter("lr", float, 1e-3, low=0),
        hyperparameter("batch_size", int, 64, low=1),
        hyperparameter("layers", int, 2, low=1, high=20),
        hyperparameter("width", int, 64, low=1),
        hyperparameter("activation", str, "relu", choices=("relu", "gelu", "tanh")),
        hyperparameter("dropout", float, 0.0, low=0, high=1),
        hyperparameter("weight_decay", float, 0.0, low=0),
        hyperparameter("optimizer", str, "adam", choices=("sgd", "adam", "adamw")),
        hyperparameter("momentum", float, 0.9, low=0, high=1),
        hyperparameter("nesterov", bool, False),
        hyperparameter("sizes", list, None),
    ),
    length="epochs",
    metrics=("val_loss", "train_loss"),
)
