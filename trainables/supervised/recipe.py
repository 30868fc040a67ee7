"""The hyperparameters of training itself, which every supervised trainable shares, and the optimizer they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainables.declaration import Hyperparameter
from trainables.supervised.schedule import SCHEDULES

if TYPE_CHECKING:
    from torch import nn, optim

OPTIMIZERS = ("sgd", "adam", "adamw", "nadamw")

PRECISIONS = ("auto", "float32", "bfloat16")

_RECIPE = (
    Hyperparameter(name="epochs", type=int, default=30, low=1, meaning="passes over the training examples"),
    Hyperparameter(
        name="lr",
        type=float,
        default=1e-3,
        low=0.0,
        meaning="highest learning rate",
        search={"loguniform": [1e-4, 1e-1]},
        first=True,
    ),
    Hyperparameter(
        name="batch_size",
        type=int,
        default=128,
        low=1,
        meaning="examples per update",
        search={"choice": [32, 64, 128, 256], "ordered": True},
        first=True,
    ),
    Hyperparameter(
        name="optimizer",
        type=str,
        default="adamw",
        choices=OPTIMIZERS,
        meaning="update rule; nadamw: adamw with Nesterov momentum",
        search={"choice": list(OPTIMIZERS)},
    ),
    Hyperparameter(
        name="momentum",
        type=float,
        default=0.9,
        low=0.0,
        high=1.0,
        meaning="Nesterov momentum of sgd; the other optimizers ignore it",
        search={"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
    ),
    Hyperparameter(
        name="beta2",
        type=float,
        default=0.999,
        low=0.0,
        high=0.999999,
        meaning="decay of the squared gradients' average; sgd ignores it",
        search={"choice": [0.95, 0.99, 0.999], "ordered": True},
    ),
    Hyperparameter(
        name="weight_decay",
        type=float,
        default=0.0,
        low=0.0,
        meaning="decoupled decay (sgd and adam: L2 penalty) of weights; none of biases and norms",
        search={"loguniform": [1e-6, 1e-1]},
        first=True,
    ),
    Hyperparameter(
        name="schedule",
        type=str,
        default="cosine",
        choices=SCHEDULES,
        meaning="of the learning rate, per update",
        search={"choice": list(SCHEDULES)},
    ),
    Hyperparameter(
        name="warmup",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of the updates in which the learning rate rises; one_cycle: 0.3 if it is 0",
        search={"uniform": [0.0, 0.3]},
    ),
    Hyperparameter(
        name="clip",
        type=float,
        default=0.0,
        low=0.0,
        meaning="largest gradient norm; 0: no clipping",
        search={"choice": [0.0, 0.1, 1.0, 10.0]},
    ),
    Hyperparameter(
        name="label_smoothing",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of a class's probability spread over all classes in training; a regression ignores it",
        search={"uniform": [0.0, 0.2]},
    ),
    Hyperparameter(
        name="ema",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="decay of the average of the weights, which is what is scored; 0: no average",
        search={"choice": [0.0, 0.99, 0.999]},
    ),
    Hyperparameter(
        name="patience",
        type=int,
        default=0,
        low=0,
        meaning="epochs without a better val_loss after which training ends; 0: it never does",
    ),
    Hyperparameter(
        name="precision",
        type=str,
        default="auto",
        choices=PRECISIONS,
        meaning="of the forward pass; auto: bfloat16 on GPUs that are made for it, otherwise float32",
    ),
)


def recipe(*, search: Mapping[str, Mapping[str, Any]] | None = None, **defaults: Any) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that :func:`trainables.supervised.fit` reads, for ``declare``.

    Args:
        search: Other ranges than those that are usually proposed, by name.
        defaults: Other defaults than the usual ones, as in ``recipe(lr=3e-4, clip=1.0)``.

    Raises:
        ValueError: No hyperparameter has that name.
    """
    search = search or {}
    names = {each.name for each in _RECIPE}
    if wrong := sorted({*defaults, *search} - names):
        raise ValueError(f"recipe: no hyperparameter {', '.join(wrong)}; it has {', '.join(sorted(names))}")
    return tuple(
        replace(each, default=defaults.get(each.name, each.default), search=search.get(each.name, each.search))
        for each in _RECIPE
    )


def with_defaults(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration, with the usual defaults of the recipe for what it does not have."""
    missing = {each.name: each.default for each in _RECIPE if each.name not in config}
    return {**config, **missing} if missing else config


def make_optimizer(model: nn.Module, config: Mapping[str, Any]) -> optim.Optimizer:
    """The optimizer of the parameters that are trained; its update is one kernel where torch can.

    Weights of two and more dimensions decay; biases, and the gains of norms, do not.

    Args:
        model: The model, on the device to train on.
        config: The values of :func:`recipe`.
    """
    from torch import optim

    trained = [each for each in model.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim >= 2], "weight_decay": config["weight_decay"]},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    lr, betas = config["lr"], (0.9, config["beta2"])
    fused = trained[0].device.type in ("cpu", "cuda")
    match config["optimizer"]:
        case "sgd":
            momentum = config["momentum"]
            return optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum > 0, fused=fused)
        case "adam":
            return optim.Adam(groups, lr=lr, betas=betas, fused=fused)
        case "adamw":
            return optim.AdamW(groups, lr=lr, betas=betas, fused=fused)
        case _:
            return optim.NAdam(groups, lr=lr, betas=betas, decoupled_weight_decay=True)


def in_bfloat16(precision: str, device: str) -> bool:
    """Whether the forward pass runs in bfloat16: on GPUs since Ampere by default, elsewhere only if asked for.

    Args:
        precision: One of ``PRECISIONS``.
        device: "cuda", "mps" or "cpu".
    """
    import torch

    if precision == "auto":
        return device == "cuda" and torch.cuda.get_device_capability()[0] >= 8
    return precision == "bfloat16"
