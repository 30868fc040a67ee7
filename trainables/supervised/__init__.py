"""Supervised training for any model: examples, a model and a task in; epochs, reports and checkpoints out.

:func:`~trainables.supervised.training.fit` is the loop, :func:`~trainables.supervised.recipe.recipe` the
hyperparameters that it reads.
"""

from __future__ import annotations

from trainables.supervised.examples import Examples, Subset, Tensors
from trainables.supervised.recipe import recipe
from trainables.supervised.tasks import LossAndScores, Task
from trainables.supervised.training import evaluate, fit, metrics

__all__ = ["Examples", "LossAndScores", "Subset", "Task", "Tensors", "evaluate", "fit", "metrics", "recipe"]
