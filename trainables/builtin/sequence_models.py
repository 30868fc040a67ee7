"""Networks that read a window of rows and answer with some numbers: recurrent, convolutional, attention, and linear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

MODELS = ("gru", "lstm", "tcn", "transformer", "linear")

NORMALISE = ("window", "series")

KERNEL = 3
"""Rows that a temporal convolution sees at once."""

HEAD = 8
"""The least width of a head of attention."""


def network(config: Mapping[str, Any], *, inputs: int, outputs: int, window: int, forecast: bool) -> nn.Module:
    """A network [examples, window, inputs] → [examples, outputs].

    It takes its answer from what it has made of the last row; a linear one from all rows at once (Zeng et al. 2023,
    section 4), which is hard to beat where there is little data. Read from the configuration: ``model``, ``width`` and
    ``layers`` (not of a linear one), ``dropout``, and in a forecast ``normalise``.

    Args:
        config: The hyperparameters.
        inputs: Of each row; in a forecast, the first one is what is predicted.
        outputs: Numbers to predict: the steps of a forecast, or one per class.
        window: Rows.
        forecast: Whether outputs are later values of the first input.
    """
    from torch import nn

    width, dropout = config["width"], config["dropout"]
    bodies = {"gru": _recurrent, "lstm": _recurrent, "tcn": _convolutional, "transformer": _attention}
    if config["model"] == "linear":
        body, width = nn.Flatten(), window * inputs
    else:
        body = bodies[config["model"]](config, inputs, window)
    whole = nn.Sequential(body, nn.Dropout(dropout), nn.Linear(width, outputs))
    return _normalised(whole) if forecast and config["normalise"] == "window" else whole


def _recurrent(config: Mapping[str, Any], inputs: int, window: int) -> nn.Module:
    """GRU (Cho et al. 2014) or LSTM (Hochreiter and Schmidhuber 1997)."""
    from torch import nn

    layers, kind = config["layers"], nn.GRU if config["model"] == "gru" else nn.LSTM
    between = config["dropout"] if layers > 1 else 0.0

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = kind(inputs, config["width"], layers, dropout=between, batch_first=True)

        def forward(self, rows: Tensor) -> Tensor:
            states: Tensor = self.layers(rows)[0]
            return states[:, -1]

    return Recurrent()


def _convolutional(config: Mapping[str, Any], inputs: int, window: int) -> nn.Module:
    """A temporal convolutional network (Bai, Kolter and Koltun 2018, section 3).

    Blocks of two causal convolutions with normed weights, each with twice the dilation of the one before, beside a
    residual connection. There are ``layers`` of them, or as many as it takes for the last row to see the whole window.
    """
    from torch import nn
    from torch.nn.utils.parametrizations import weight_norm

    width, dropout = config["width"], config["dropout"]

    class Block(nn.Module):
        def __init__(self, channels: int, dilation: int) -> None:
            super().__init__()
            parts: list[nn.Module] = []
            for given in (channels, width):
                parts += [
                    nn.ConstantPad1d(((KERNEL - 1) * dilation, 0), 0.0),
                    weight_norm(nn.Conv1d(given, width, KERNEL, dilation=dilation)),
                    nn.ReLU(),
                    nn.Dropout(dropout),
                ]
            self.residual = nn.Sequential(*parts)
            self.beside = nn.Conv1d(channels, width, 1) if channels != width else nn.Identity()

        def forward(self, channels: Tensor) -> Tensor:
            return nn.functional.relu(self.residual(channels) + self.beside(channels))

    class Convolutional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            blocks = blocks_for(window, config["layers"])
            self.blocks = nn.Sequential(*(Block(width if number else inputs, 2**number) for number in range(blocks)))

        def forward(self, rows: Tensor) -> Tensor:
            channels: Tensor = self.blocks(rows.transpose(1, 2))
            return channels[:, :, -1]

    return Convolutional()


def blocks_for(window: int, layers: int) -> int:
    """Blocks of the convolutional network, so that it sees the window: of ``n`` blocks, 1 + 2 (kernel - 1) (2ⁿ - 1)."""
    blocks = layers
    while 1 + 2 * (KERNEL - 1) * (2**blocks - 1) < window:
        blocks += 1
    return blocks


def _attention(config: Mapping[str, Any], inputs: int, window: int) -> nn.Module:
    """An encoder (Vaswani et al. 2017, section 3.1) with norms first (Xiong et al. 2020) and learned positions."""
    import torch
    from torch import nn

    width = config["width"]

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Linear(inputs, width)
            self.position = nn.Parameter(torch.randn(window, width) * 0.02)
            self.dropout = nn.Dropout(config["dropout"])
            layer = nn.TransformerEncoderLayer(
                width,
                heads_of(width),
                dim_feedforward=4 * width,
                dropout=config["dropout"],
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            self.layers = nn.TransformerEncoder(
                layer, config["layers"], norm=nn.LayerNorm(width), enable_nested_tensor=False
            )

        def forward(self, rows: Tensor) -> Tensor:
            states: Tensor = self.layers(self.dropout(self.embedding(rows) + self.position))
            return states[:, -1]

    return Attention()


def heads_of(width: int) -> int:
    """Heads of attention: the most that divide the width, are at least ``HEAD`` wide, and no more than eight."""
    return max(heads for heads in range(1, 9) if heads == 1 or (width % heads == 0 and width >= heads * HEAD))


def _normalised(model: nn.Module) -> nn.Module:
    """The model, with each window's first input standardized by itself, and the outputs moved back to its level.

    Its mean and standard deviation are those of the window (Kim et al. 2022, RevIN, section 3, without the affine
    part), so that a series that grows is at home at every level.
    """
    import torch
    from torch import nn

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, rows: Tensor) -> Tensor:
            own = rows[:, :, :1]
            level = own.mean(dim=1, keepdim=True)
            spread = (own.var(dim=1, keepdim=True, correction=0) + 1e-5).sqrt()
            outputs: Tensor = self.model(torch.cat([(own - level) / spread, rows[:, :, 1:]], dim=-1))
            return outputs.float() * spread[:, 0] + level[:, 0]

    return Normalised()
