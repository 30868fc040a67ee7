"""One weight and one bias learn y = 2x + 1, in plain Python floats.

A trial takes milliseconds. Just above the best learning rate it diverges, up to OverflowError. The example is that of
the article "Hyperparameter Tuning example with Simple Python".
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from trainables.configuration import complete
from trainables.declaration import Hyperparameter, declare
from trainables.trial import Trial

EXAMPLES = tuple((x, 2 * x + 1) for x in range(20))

SAVED_EVERY = 10  # epochs: an epoch takes 8 µs, a save 60 µs

HYPERPARAMETERS = (
    Hyperparameter(
        name="lr",
        type=float,
        default=0.001,
        low=0.0,
        meaning="learning rate",
        search={"loguniform": [1e-5, 1.0]},
        first=True,
    ),
    Hyperparameter(name="epochs", type=int, default=100, low=1, meaning="passes over the 20 examples"),
    Hyperparameter(name="init_seed", type=int, default=0, meaning="seed of the first weight and bias"),
)


@declare(*HYPERPARAMETERS, length="epochs", metrics=("loss",), curves=("loss",))
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Fit y = 2x + 1 by stochastic gradient descent, one update per example.

    Reports ``loss``, the total squared error of the epoch before each update, from step 1 (the article's epoch 0) to
    ``epochs``. The first weight and bias come from ``init_seed``; ``trial.seed`` has no effect.

    Raises:
        OverflowError: The error exceeded what a float holds; the learning rate is far too high.
    """
    config = complete(config, HYPERPARAMETERS)
    rng = random.Random(config["init_seed"])
    state = trial.restore() or {"step": 0, "weight": rng.random(), "bias": rng.random()}
    weight, bias, lr = state["weight"], state["bias"], config["lr"]
    for epoch in range(state["step"] + 1, config["epochs"] + 1):
        loss = 0.0
        for x, y in EXAMPLES:
            error = weight * x + bias - y
            loss += error**2
            weight -= lr * 2 * error * x
            bias -= lr * 2 * error
        if epoch % SAVED_EVERY == 0 or epoch == config["epochs"]:
            trial.save(step=epoch, weight=weight, bias=bias)
        trial.report(step=epoch, loss=loss)
