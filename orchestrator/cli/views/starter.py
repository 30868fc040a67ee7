"""What `sweep init` writes: a spec that shows its sections, and a training function that takes no time."""

SPEC = """\
# What is searched, by what, and how long. `sweep check` names mistakes, `sweep plan` costs.
trainable: train.py:train             # your function: file.py:function, or module:function
fixed:                                # the same in every trial
  epochs: 27
space:                                # what is searched
  lr: {loguniform: [1e-4, 1]}
  momentum: {uniform: [0.0, 0.95]}
  batch_size: {choice: [8, 16, 32], ordered: true}
objective: {metric: val_loss, mode: min}
search: {method: tpe, seed: 0}        # grid, random, sobol, tpe, list
scheduler: {method: asha, grace_period: 3, reduction_factor: 3}   # weak trials stop at epochs 3 and 9
budget: {trials: 20, hours: 1}        # whichever comes first
resources: {cpu: 1, gpu: 0}           # of one trial; gpu: auto is one if there are any
"""

TRAIN = '''\
"""Fits a line to noisy points. Put your own model here: report after every epoch, and that is all."""

import random


def train(config, trial):
    rng = random.Random(0)  # the same data in every trial; what may differ is seeded by the sweep
    points = [(x, 3 * x - 1 + rng.gauss(0, 0.3)) for x in (rng.uniform(-1, 1) for _ in range(200))]
    training, validation = points[:160], points[160:]
    weight = bias = weight_speed = bias_speed = 0.0
    for epoch in range(1, config["epochs"] + 1):
        random.shuffle(training)
        for start in range(0, len(training), config["batch_size"]):
            batch = training[start : start + config["batch_size"]]
            errors = [(weight * x + bias - y, x) for x, y in batch]
            weight_slope = sum(2 * error * x for error, x in errors) / len(batch)
            bias_slope = sum(2 * error for error, _ in errors) / len(batch)
            weight_speed = config["momentum"] * weight_speed - config["lr"] * weight_slope
            bias_speed = config["momentum"] * bias_speed - config["lr"] * bias_slope
            weight, bias = weight + weight_speed, bias + bias_speed
        val_loss = sum((weight * x + bias - y) ** 2 for x, y in validation) / len(validation)
        trial.report(step=epoch, val_loss=val_loss)
'''
