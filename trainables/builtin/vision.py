"""A network on images of classes: a small convolutional network, a residual network, or a vision transformer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import supervised
from trainables.builtin import vision_models
from trainables.builtin.vision_augment import AUGMENTATIONS, augmentation
from trainables.builtin.vision_check import check_data
from trainables.builtin.vision_data import Images, load
from trainables.configuration import complete
from trainables.data.split import shares
from trainables.declaration import REQUIRED, Hyperparameter, declare
from trainables.supervised import Subset, Task, Tensors, recipe
from trainables.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

SCORED_AT_ONCE = 1_024
"""Images per forward pass of an evaluation: bounds its memory."""

HYPERPARAMETERS = (
    Hyperparameter(
        name="data",
        type=Path,
        default=REQUIRED,
        meaning="folder with a folder of images per class, or an .npz file with images and labels",
    ),
    Hyperparameter(name="size", type=int, default=32, low=4, high=1024, meaning="pixels on an edge, after resizing"),
    Hyperparameter(
        name="model",
        type=str,
        default="resnet",
        choices=("cnn", "resnet", "vit"),
        meaning="convolutional network, residual network, or vision transformer",
        search={"choice": ["cnn", "resnet", "vit"]},
        first=True,
    ),
    Hyperparameter(
        name="depth",
        type=int,
        default=2,
        low=1,
        meaning="cnn: stages of two layers; resnet: blocks in each of three stages; vit: layers",
        search={"int": [1, 4]},
        first=True,
    ),
    Hyperparameter(
        name="width",
        type=int,
        default=32,
        low=1,
        meaning="cnn, resnet: channels of the first stage; vit: of a token",
        search={"choice": [16, 32, 64], "ordered": True},
        first=True,
    ),
    Hyperparameter(
        name="patch", type=int, default=4, low=1, meaning="vit: edge of a token's patch, in pixels; others ignore it"
    ),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="cnn, resnet: before the last layer; vit: in each layer",
        search={"uniform": [0.0, 0.5]},
    ),
    Hyperparameter(
        name="augment",
        type=str,
        default="none",
        choices=AUGMENTATIONS,
        meaning="random changes in training: mirrored left to right, moved by up to an eighth",
        search={"choice": list(AUGMENTATIONS)},
        first=True,
    ),
    Hyperparameter(name="split_seed", type=int, default=0, low=0, meaning="seed of the split into the three parts"),
    *shares(
        validation="share of the images for validation, unless the data has a part for it",
        test="share of the images that no trial sees, unless the data has a part for it",
    ),
    *recipe(),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a trained network on the test images: ``test_loss``, ``test_accuracy`` and ``test_auroc``.

    Raises:
        ValueError: There are no test images, or the configuration or the images cannot be used.
        OSError: The images cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    images = load(config["data"], **_options(config))
    if not len(images.rows.test):
        raise ValueError(f"{images.source}: no test set: its share leaves it without images")
    return supervised.evaluate(
        config,
        trial,
        build=partial(network, images),
        task=_task(images),
        test=Subset(examples=_examples(images, trial), rows=_rows(images.rows.test)),
        scored_at_once=SCORED_AT_ONCE,
    )


def prepare(fixed: Mapping[str, Any]) -> None:
    """Read the images before trials are forked, unless the spec searches over them. What fails, each trial says."""
    if "data" in fixed:
        with suppress(ValueError, OSError):
            load(Path(fixed["data"]), **_options(fixed))


@declare(
    *HYPERPARAMETERS,
    length="epochs",
    metrics=supervised.metrics("accuracy", "auroc"),
    curves=("train_loss", "val_loss"),
    evaluate=evaluate,
    prepare=prepare,
    check_data=check_data,
)
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Train a network on images of classes and report train_* and val_* scores after each epoch.

    Reports the loss, the accuracy and the AUROC (the mean over each class against the rest) on both parts.
    :func:`trainables.supervised.fit` says what else is reported.

    Raises:
        ValueError: The configuration or the images cannot be used.
        OSError: The images cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    images = load(config["data"], **_options(config))
    examples = _examples(images, trial)
    supervised.fit(
        config,
        trial,
        build=partial(network, images),
        task=_task(images),
        train=Subset(examples=examples, rows=_rows(images.rows.train)),
        validation=Subset(examples=examples, rows=_rows(images.rows.validation)),
        augment=augmentation(config["augment"]),
        scored_at_once=SCORED_AT_ONCE,
    )


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``load``."""
    return {
        "size": config["size"],
        "seed": config["split_seed"],
        "validation": config["validation"],
        "test": config["test"],
    }


def _task(images: Images) -> Task:
    return Task(name="multiclass", outputs=len(images.classes))


def _examples(images: Images, trial: Trial) -> Tensors:
    import torch

    return Tensors(inputs=torch.from_numpy(images.pixels), targets=torch.from_numpy(images.labels)).on(trial.device)


def _rows(numbers: NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(numbers)


def network(images: Images, config: Mapping[str, Any]) -> nn.Sequential:
    """The model that the configuration names, uint8 [images, channels, size, size] → logits [images, classes].

    Raises:
        ValueError: The patch of a vision transformer does not divide the images.
    """
    import torch
    from torch import nn

    sizes = {
        "channels": images.pixels.shape[1],
        "size": config["size"],
        "classes": len(images.classes),
        "depth": config["depth"],
        "width": config["width"],
        "dropout": config["dropout"],
    }
    match config["model"]:
        case "cnn":
            layers = vision_models.cnn(**sizes)
        case "resnet":
            layers = vision_models.resnet(**sizes)
        case _:
            layers = vision_models.vit(**sizes, patch=config["patch"])
    return nn.Sequential(vision_models.scaling(images.mean, images.std), *layers).to(memory_format=torch.channels_last)
