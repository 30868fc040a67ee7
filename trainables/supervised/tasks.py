"""The three tasks of supervised learning: the outputs of the model, the loss, and the scores.

A task works with any model (dense, sequence, vision) whose output is one number per example for ``binary`` (a logit)
and ``regression``, or one logit per class for ``multiclass``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

TaskName = Literal["binary", "multiclass", "regression"]

SCORES: dict[TaskName, tuple[str, ...]] = {
    "binary": ("accuracy", "auroc"),
    "multiclass": ("accuracy", "auroc"),
    "regression": ("rmse", "r2"),
}


class LossAndScores(Protocol):
    """What a model learns: a loss to be minimized, and scores to be reported.

    Attributes:
        pooled: Whether scores need the outputs of all examples at once, as an AUROC does. If not, they are averaged
            over batches, whose outputs need not be kept.
    """

    @property
    def pooled(self) -> bool:
        """See above."""

    def loss(self, outputs: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
        """The mean loss of a batch."""

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Scores by name, without the loss; reported as ``train_…``, ``val_…`` and ``test_…``."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One of the three tasks.

    Attributes:
        name: One of the three tasks.
        outputs: Outputs of the model per example: the number of classes of a multiclass task, otherwise 1.
        scale: Units of the target per unit of a regression model's output, if targets are standardized.
    """

    name: TaskName
    outputs: int = 1
    scale: float = 1.0
    pooled: bool = True

    def loss(self, outputs: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
        """The mean loss of a batch: cross-entropy in nats, or the mean squared error.

        Args:
            outputs: float [examples, self.outputs]
            targets: float [examples] of 0 and 1, int64 [examples] of class numbers, or float [examples]
            label_smoothing: The share of the probability that is spread over all classes (Szegedy et al. 2016,
                Rethinking the Inception Architecture, section 7). A regression ignores it.
        """
        from torch.nn import functional

        if self.name == "multiclass":
            return functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)
        if self.name == "binary":
            smooth = targets * (1 - label_smoothing) + label_smoothing / 2
            return functional.binary_cross_entropy_with_logits(outputs.squeeze(-1), smooth)
        return functional.mse_loss(outputs.squeeze(-1), targets)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Accuracy and AUROC of a classification, RMSE (in the target's units) and R² of a regression.

        Outputs that are not finite score NaN. A score that the targets leave undefined is left out: the AUROC of a
        single class, the R² of a constant. Shapes are those of :meth:`loss`.
        """
        import numpy as np

        given, wanted = outputs.detach().cpu().double().numpy(), targets.cpu().numpy()
        if not np.isfinite(given).all():
            return dict.fromkeys(SCORES[self.name], math.nan)
        if self.name == "regression":
            return _regression_scores(given[:, 0], wanted.astype(np.float64), self.scale)
        if self.name == "binary":
            return _binary_scores(given[:, 0], wanted > 0.5)
        return _multiclass_scores(given, wanted)


def _regression_scores(given: Floats, wanted: Floats, scale: float) -> dict[str, float]:
    squared, variance = float(((given - wanted) ** 2).mean()), float(wanted.var())
    scores = {"rmse": math.sqrt(squared) * scale}
    return scores | {"r2": 1 - squared / variance} if variance > 0 else scores


def _binary_scores(logits: Floats, positive: Bools) -> dict[str, float]:
    # Ranked by logits: as probabilities, the most certain ones would round to ties.
    return {"accuracy": float(((logits > 0) == positive).mean())} | _auroc([(logits, positive)])


def _multiclass_scores(logits: Floats, wanted: NDArray[Any]) -> dict[str, float]:
    import numpy as np

    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    one_against_rest = [(column, wanted == number) for number, column in enumerate(probabilities.T)]
    return {"accuracy": float((logits.argmax(axis=1) == wanted).mean())} | _auroc(one_against_rest)


def _auroc(rankings: list[tuple[Floats, Bools]]) -> dict[str, float]:
    """The unweighted mean of the areas over rankings with both positive and negative examples."""
    areas = [area(scores, positive) for scores, positive in rankings if 0 < positive.sum() < len(positive)]
    return {"auroc": sum(areas) / len(areas)} if areas else {}


def area(scores: Floats, positive: Bools) -> float:
    """The area under the ROC curve: how often a positive example scores above a negative one, ties as half.

    Computed from the rank sum of the positive examples (Hanley and McNeil 1982, section III). scikit-learn's
    roc_auc_score gives the same and takes nine times as long, which would be a sixth of a small network's trial.

    Args:
        scores: Finite numbers [examples].
        positive: Which examples are positive [examples]; at least one is, and at least one is not.
    """
    import numpy as np

    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))
