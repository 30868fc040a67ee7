"""What `sweep check` finds in the folder of a language model and in a text; imports neither torch nor transformers."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainables.builtin.language_data import read_text
from trainables.builtin.lora_model import tokenizer_files
from trainables.data.problems import DataError, DataProblem

CAUSAL = ("CausalLM", "LMHeadModel")
"""How the names of causal language models end."""

LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
"""What a configuration calls the longest context."""


def check_data(config: Mapping[str, Any]) -> Iterator[DataProblem]:
    """Look at the model's folder and read the text; how many tokens it has is found by the trials."""
    if missing := [name for name in ("transformers", "peft") if importlib.util.find_spec(name) is None]:
        problem = f"{' and '.join(missing)} not installed"
        yield DataProblem(name="pretrained", problem=problem, allowed="pip install 'sweep-orchestrator[lora]'")
    try:
        _check_model(config["pretrained"], config["context"])
        size = len(read_text(config["data"]).encode())  # there are hardly ever more tokens
        if size * config["validation"] <= config["context"]:
            problem = f"{config['data']}: {size:,} bytes are too few for context={config['context']}"
            raise DataError("context", problem, "a longer text, or a smaller context")
    except DataError as error:
        yield error.found
    except OSError as error:
        yield DataProblem(name="data", problem=f"{error.filename} cannot be read: {error.strerror or error}")


def _check_model(folder: Path, context: int) -> None:
    """Refuse what is no causal language model, or one that is made for less context.

    Raises:
        DataError: It is refused.
        OSError: Its configuration cannot be read.
    """
    wanted = "the folder of a causal language model of Hugging Face, with config.json, weights and tokenizer"
    path = folder / "config.json"
    if not path.is_file():
        there = "an adapter, not a model" if (folder / "adapter_config.json").is_file() else "without config.json"
        raise DataError("pretrained", f"{folder} is {there}", wanted)
    try:
        found = json.loads(path.read_text())
        architectures = [str(each) for each in found.get("architectures") or ()]
    except (ValueError, AttributeError, TypeError):
        raise DataError("pretrained", f"{path} is not the configuration of a model", wanted) from None
    if architectures and not any(each.endswith(CAUSAL) for each in architectures):
        raise DataError("pretrained", f"{folder} has a {architectures[0]}, which predicts no next token", wanted)
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        raise DataError("pretrained", f"{folder} has no weights", wanted)
    tokenizer_files(folder)
    longest = next((found[name] for name in LENGTHS if isinstance(found.get(name), int)), None)
    if longest is not None and context > longest:
        raise DataError("context", f"{folder} is made for at most {longest} tokens", f"context: {longest}")
