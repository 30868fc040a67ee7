"""A causal language model of Hugging Face with low-rank matrices added, and its tokenizer. Nothing is downloaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.data.problems import DataError

if TYPE_CHECKING:
    from torch import Tensor, nn

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
)
"""What a tokenizer may consist of."""

ENCODED_AT_ONCE = 2**20
"""So many characters are encoded at once, and the line in which they end."""


def tokenizer_files(folder: Path) -> list[Path]:
    """The files of the tokenizer in a model's folder.

    Raises:
        DataError: There is none.
    """
    found = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if not any(path.name not in ("special_tokens_map.json", "added_tokens.json") for path in found):
        raise DataError("pretrained", f"{folder} has no tokenizer", "a folder with the tokenizer.json of the model")
    return found


def encode(folder: Path, text: str) -> list[int]:
    """A text in the tokens of the tokenizer in a folder, without special ones."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    found: list[int] = []
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + ENCODED_AT_ONCE) + 1 or len(text)
        found += tokenizer(text[begin:end], add_special_tokens=False, verbose=False)["input_ids"]
        begin = end
    return found


def import_code(folder: Path) -> None:
    """Import what :func:`adapted` needs for a model, which takes seconds: the model itself is not loaded."""
    import peft  # noqa: F401
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(str(folder), local_files_only=True))


def adapted(folder: Path, *, rank: int, alpha: float, targets: str, dropout: float, half: bool) -> nn.Module:
    """A frozen model with trainable matrices: int64 tokens [rows, tokens] → logits [rows, tokens, vocabulary].

    Args:
        folder: Of the model.
        rank, alpha: The weights of a layer become W + alpha / rank · BA (Hu et al. 2021, section 4.1), where B has
            ``rank`` columns and is zero at first.
        targets: "attention", those of its layers that are usual for the architecture, or "all" linear layers.
        dropout: Of the inputs of BA, in training.
        half: Whether the frozen weights are in bfloat16.

    Raises:
        DataError: The folder has no model that can be used, or it is not known which layers are of the attention.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors import SafetensorError
    from torch import nn
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    class Logits(nn.Module):
        """The model without the rest of its outputs."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: Tensor) -> Tensor:
            logits: Tensor = self.model(input_ids=tokens, use_cache=False).logits
            return logits

    logging.disable_progress_bar()
    try:
        base = AutoModelForCausalLM.from_pretrained(
            str(folder), local_files_only=True, dtype=torch.bfloat16 if half else torch.float32
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        words = " ".join(str(error).split())
        raise DataError("pretrained", f"{folder} is no causal language model that can be loaded: {words}") from None
    settings = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # may be a fraction
        lora_dropout=dropout,
        target_modules="all-linear" if targets == "all" else None,
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of GPT-2's weights, which are the other way round, and of transformers
            return Logits(get_peft_model(base, settings))
    except ValueError as error:
        if targets == "attention" and "target_modules" in str(error):
            kind = base.config.model_type
            raise DataError("targets", f"{folder}: which layers of {kind} are attention is not known", "all") from None
        raise
