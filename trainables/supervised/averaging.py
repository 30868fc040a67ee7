"""The exponential moving average of a model's weights, which often scores better than the last ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainables.supervised.frozen import frozen_names, load, without

if TYPE_CHECKING:
    from torch import nn


class Averaged:
    """The average of a model's weights and buffers over the updates so far (Polyak and Juditsky 1992).

    The first updates have a lower decay, ``(1 + updates) / (10 + updates)``, so that the first weights are soon
    forgotten, as in TensorFlow's ExponentialMovingAverage.

    Attributes:
        model: A copy of the model, with the average.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        frozen = {id(each): each for each in model.parameters() if not each.requires_grad}
        self.model = copy.deepcopy(model, frozen).requires_grad_(False)  # what is frozen is shared: it stays as it is
        self._frozen = frozen_names(model)
        self._decay = decay
        self._updates = 0

    def update(self, model: nn.Module) -> None:
        """Take in the weights after an update."""
        import torch

        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        with torch.no_grad():
            for kept, now in zip(_values(self.model), _values(model), strict=True):
                if kept is now:
                    continue
                if kept.is_floating_point():
                    kept.lerp_(now, 1 - decay)
                else:
                    kept.copy_(now)

    def state_dict(self) -> dict[str, Any]:
        """The average, and how many updates it is of."""
        return {"model": without(self._frozen, self.model.state_dict()), "updates": self._updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that :meth:`state_dict` returned."""
        load(self.model, state["model"], self._frozen)
        self._updates = state["updates"]


def _values(model: nn.Module) -> list[Any]:
    return [*model.parameters(), *model.buffers()]
