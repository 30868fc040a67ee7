"""The task of a forecast: its loss, and its scores in the target's units and beside the seasonal naive forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LOSSES = ("mae", "huber", "mse")


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Several steps ahead at once; what is missing in the targets counts nowhere.

    Attributes:
        kind: One of ``LOSSES``, on standardized values. Huber's (1964) changes from squared to absolute at 1.
        pooled: See :class:`~trainables.supervised.tasks.LossAndScores`.
    """

    kind: str = "mae"
    pooled: bool = True

    def loss(self, outputs: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
        """The mean over examples of each one's mean loss over the steps that are known.

        Args:
            outputs: float [examples, horizon], standardized.
            targets: float [examples, horizon + 2]: values, standardized and NaN where missing; the units of the target
                in a standardized one; the mean absolute error of the seasonal naive forecast, in units of the target.
            label_smoothing: Ignored.
        """
        from torch.nn import functional

        wanted = targets[:, :-2]
        known = wanted.isfinite()
        losses: Any = {"mae": functional.l1_loss, "huber": functional.huber_loss, "mse": functional.mse_loss}
        each = losses[self.kind](outputs, wanted.where(known, outputs.detach()), reduction="none")
        mean: Tensor = ((each * known).sum(dim=1) / known.sum(dim=1)).mean()
        return mean

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """``mae`` and ``mase``; NaN if an output is not finite. Shapes are those of :meth:`loss`.

        ``mase`` is the mean of the absolute errors, each divided by the mean absolute error of the seasonal naive
        forecast of the same series in the same part: the mean absolute scaled error (Hyndman and Koehler 2006, Another
        look at measures of forecast accuracy, section 3), which divides by the error in the training part. Series of
        which the seasonal naive forecast has no error do not count; if that is all, it is left out.
        """
        outputs, targets = outputs.detach().double().cpu(), targets.double().cpu()
        if not outputs.isfinite().all():
            return {"mae": math.nan, "mase": math.nan}
        wanted, unit, naive = targets[:, :-2], targets[:, -2:-1], targets[:, -1:]
        errors, known = (outputs - wanted).abs() * unit, wanted.isfinite()
        scored = {"mae": float(errors[known].mean())}
        comparable = known & (naive > 0)
        return scored | ({"mase": float((errors / naive)[comparable].mean())} if comparable.any() else {})
