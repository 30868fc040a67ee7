"""A GPT, and the task of predicting the next token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.data.problems import DataError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """Predicts, at each token, the one that follows. The outputs are logits [rows, context, vocabulary]."""

    pooled: bool = False

    def loss(self, outputs: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
        """The mean cross-entropy of a token, in nats.

        Args:
            outputs: float [rows, context, vocabulary]
            targets: int64 [rows, context]
            label_smoothing: The share of the probability that is spread over all tokens.
        """
        from torch.nn import functional

        return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), label_smoothing=label_smoothing)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """``bits_per_token``, the loss in bits, and ``accuracy``, the share of tokens that were the likeliest."""
        likeliest = float((outputs.argmax(dim=-1) == targets).float().mean())
        return {"bits_per_token": float(self.loss(outputs, targets)) / math.log(2), "accuracy": likeliest}


def check_heads(heads: int, width: int) -> None:
    """Refuse a number of heads that does not divide the width.

    Raises:
        DataError: It does not.
    """
    if width % heads:
        near = min((each for each in range(1, width + 1) if width % each == 0), key=lambda each: abs(each - heads))
        raise DataError("heads", f"heads={heads} does not divide width={width}", f"heads: {near}")


def gpt(*, vocabulary: int, context: int, layers: int, heads: int, width: int, dropout: float) -> nn.Module:
    """A GPT: int64 tokens [rows, up to context] → logits [rows, tokens, vocabulary].

    Follows Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section 2.3: norms before each
    part and after the last, learned positions, the weights that end in a sum scaled by 1/sqrt(2 × layers); the last
    layer shares the weights of the tokens (Press and Wolf 2017). The attention itself has no dropout, which would
    double the time of training on a CPU.

    Raises:
        DataError: The heads do not divide the width.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    check_heads(heads, width)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inputs = nn.Linear(width, 3 * width)
            self.outputs = nn.Linear(width, width)

        def forward(self, tokens: Tensor) -> Tensor:
            rows, length, _ = tokens.shape
            query, key, value = self.inputs(tokens).view(rows, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            return self.outputs(found.transpose(1, 2).reshape(rows, length, width))

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.Sequential(nn.LayerNorm(width), Attention(), nn.Dropout(dropout))
            self.dense = nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.GELU(approximate="tanh"),
                nn.Linear(4 * width, width),
                nn.Dropout(dropout),
            )

        def forward(self, tokens: Tensor) -> Tensor:
            tokens = tokens + self.attention(tokens)
            return tokens + self.dense(tokens)

    class Gpt(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, width)
            self.positions = nn.Embedding(context, width)
            self.dropout = nn.Dropout(dropout)
            self.layers = nn.Sequential(*(Layer() for _ in range(layers)))
            self.norm = nn.LayerNorm(width)
            for name, weight in self.named_parameters():
                if weight.ndim == 2:
                    into_sum = name.endswith((".outputs.weight", ".dense.3.weight"))
                    nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if into_sum else 0.02)
                elif name.endswith("bias"):
                    nn.init.zeros_(weight)

        def forward(self, tokens: Tensor) -> Tensor:
            places = torch.arange(tokens.shape[1], device=tokens.device)
            hidden = self.layers(self.dropout(self.tokens(tokens) + self.positions(places)))
            return functional.linear(self.norm(hidden), self.tokens.weight)

    return Gpt()
