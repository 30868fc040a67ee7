"""Parameters that are not trained: a checkpoint leaves them out, because the model is built with them again."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def frozen_names(model: nn.Module) -> frozenset[str]:
    """The names, as in ``state_dict``, of the parameters that are not trained."""
    named = model.named_parameters(remove_duplicate=False)  # tied weights stand in the state under each name
    return frozenset(name for name, each in named if not each.requires_grad)


def without(frozen: Set[str], state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a model without the frozen parameters."""
    return {name: value for name, value in state.items() if name not in frozen}


def load(model: nn.Module, state: Mapping[str, Any], frozen: Set[str]) -> None:
    """Load a state that may be without the frozen parameters, which the model has already.

    Raises:
        RuntimeError: Anything else is missing, too many, or of another shape.
    """
    kept = {name: value for name, value in model.state_dict().items() if name in frozen}
    model.load_state_dict(kept | dict(state))
