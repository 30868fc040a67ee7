"""Three models of images: a small convolutional network, a residual network, a vision transformer.

Each maps uint8 pixels [images, channels, size, size] to logits [images, classes], and scales the pixels itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainables.data.problems import DataError

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGEST = 64
"""What is larger, pixels on an edge, is halved by convolutions of stride 2 first."""


def scaling(mean: Sequence[float], std: Sequence[float]) -> nn.Module:
    """Pixels from 0 to 255 → zero mean and unit variance."""
    import torch
    from torch import nn

    class Scaling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", 255 * torch.tensor(mean)[:, None, None])
            self.register_buffer("std", 255 * torch.tensor(std)[:, None, None])

        def forward(self, pixels: Tensor) -> Tensor:
            return (pixels - self.mean) / self.std

    return Scaling()


def _normed(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution, with batch norm in place of its bias."""
    from torch import nn

    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


def _stem(channels: int, size: int, width: int) -> tuple[list[nn.Module], int]:
    """The first convolutions, and the edge of what they return."""
    from torch import nn

    modules: list[nn.Module] = []
    while size > LARGEST:
        modules += [*_normed(channels, width, stride=2), nn.ReLU()]
        channels, size = width, (size + 1) // 2
    return [*modules, *_normed(channels, width), nn.ReLU()], size


def _head(width: int, classes: int, dropout: float) -> list[nn.Module]:
    from torch import nn

    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(width, classes)]


def cnn(*, channels: int, size: int, classes: int, depth: int, width: int, dropout: float) -> list[nn.Module]:
    """``depth`` stages of two convolutions, each stage with twice the channels at half the size, while that is above 2.

    Args:
        width: Channels of the first stage.
        dropout: Before the last layer.
    """
    from torch import nn

    modules, edge = _stem(channels, size, width)
    for stage in range(depth):
        outputs = width * 2 if stage and edge > 2 else width
        if stage and edge > 2:
            modules.append(nn.MaxPool2d(2))
            edge //= 2
        for inputs in (width, outputs):
            modules += [*_normed(inputs, outputs), nn.ReLU()]
        width = outputs
    return [*modules, *_head(width, classes, dropout)]


def resnet(*, channels: int, size: int, classes: int, depth: int, width: int, dropout: float) -> list[nn.Module]:
    """A residual network for small images (He et al. 2016, Deep Residual Learning, section 4.2).

    Three stages of ``depth`` blocks with ``width``, 2 × ``width`` and 4 × ``width`` channels: 6 × depth + 2 layers, as
    in the paper, whose ResNet-20 has depth 3 and width 16. Where the size halves, the shortcut is a convolution of
    1 × 1 (its option B).
    """
    from torch import nn

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.residual = nn.Sequential(
                *_normed(inputs, outputs, stride=stride), nn.ReLU(), *_normed(outputs, outputs)
            )
            nn.init.zeros_(self.residual[-1].weight)  # begins as its shortcut (Goyal et al. 2017, section 5.1)
            same = inputs == outputs and stride == 1
            self.shortcut = nn.Identity() if same else nn.Sequential(*_normed(inputs, outputs, kernel=1, stride=stride))

        def forward(self, images: Tensor) -> Tensor:
            return nn.functional.relu(self.residual(images) + self.shortcut(images))

    modules, _ = _stem(channels, size, width)
    inputs = width
    for stage in range(3):
        for block in range(depth):
            modules.append(Block(inputs, width * 2**stage, 2 if stage and not block else 1))
            inputs = width * 2**stage
    return [*modules, *_head(inputs, classes, dropout)]


def check_patch(patch: int, size: int) -> None:
    """Refuse a patch that does not divide the image.

    Raises:
        DataError: It does not.
    """
    if size % patch:
        near = min((each for each in range(1, size + 1) if size % each == 0), key=lambda each: abs(each - patch))
        raise DataError("patch", f"patch={patch} does not divide size={size}", f"patch: {near}")


def vit(
    *, channels: int, size: int, classes: int, depth: int, width: int, dropout: float, patch: int
) -> list[nn.Module]:
    """A vision transformer (Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, section 3.1).

    Args:
        depth: Layers.
        width: Of each token. There is one head per 32 of it, if that divides it.
        dropout: After each part of a layer.
        patch: The edge of a token's patch of pixels.

    Raises:
        DataError: The patch does not divide the image.
    """
    import torch
    from torch import nn

    check_patch(patch, size)
    heads = next(each for each in range(max(1, width // 32), 0, -1) if width % each == 0)

    class Tokens(nn.Module):
        """Images [n, c, size, size] → patches and a class token, with their positions [n, 1 + patches, width]."""

        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(channels, width, patch, stride=patch)
            self.label = nn.Parameter(torch.zeros(1, 1, width))
            self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + (size // patch) ** 2, width))
            self.dropout = nn.Dropout(dropout)

        def forward(self, images: Tensor) -> Tensor:
            tokens = self.patches(images).flatten(2).transpose(1, 2)
            tokens = torch.cat([self.label.expand(len(tokens), -1, -1), tokens], dim=1)
            return self.dropout(tokens + self.positions)

    class First(nn.Module):
        """The class token's output."""

        def forward(self, tokens: Tensor) -> Tensor:
            return tokens[:, 0]

    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=dropout, activation="gelu", batch_first=True, norm_first=True
    )
    layers = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False)
    for weight in layers.parameters():
        if weight.ndim == 2:  # the layers are copies of one
            nn.init.xavier_uniform_(weight)
    return [Tokens(), layers, First(), nn.Linear(width, classes)]
