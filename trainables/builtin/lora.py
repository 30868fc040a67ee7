"""A LoRA fine-tune of a causal language model of Hugging Face, from a folder, on any text.

Low-rank matrices are added to some of its layers and trained; the model itself is frozen (Hu et al. 2021, LoRA:
Low-Rank Adaptation of Large Language Models, section 4.1), and no checkpoint has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import supervised
from trainables.builtin import lora_model
from trainables.builtin.language_data import Tokens, split, tokenized, windows
from trainables.builtin.language_model import NextToken
from trainables.builtin.lora_check import check_data
from trainables.checkpoints import files
from trainables.configuration import complete
from trainables.data.split import shares
from trainables.declaration import REQUIRED, Hyperparameter, declare
from trainables.supervised import recipe
from trainables.supervised.frozen import frozen_names
from trainables.supervised.frozen import load as load_weights
from trainables.supervised.recipe import in_bfloat16
from trainables.trial import Trial

if TYPE_CHECKING:
    from torch import nn

HYPERPARAMETERS = (
    Hyperparameter(name="data", type=Path, default=REQUIRED, meaning="text file, in UTF-8"),
    Hyperparameter(
        name="pretrained",
        type=Path,
        default=REQUIRED,
        meaning="folder of a causal language model of Hugging Face, with its tokenizer",
    ),
    Hyperparameter(
        name="rank",
        type=int,
        default=8,
        low=1,
        meaning="rank of the added matrices",
        search={"choice": [4, 8, 16, 32], "ordered": True},
        first=True,
    ),
    Hyperparameter(
        name="alpha",
        type=float,
        default=16.0,
        low=0.0,
        meaning="the added matrices count alpha / rank times",
        search={"choice": [8, 16, 32, 64], "ordered": True},
    ),
    Hyperparameter(
        name="targets",
        type=str,
        default="attention",
        choices=("attention", "all"),
        meaning="layers that get added matrices: of the attention, as is usual for the model, or all linear ones",
        search={"choice": ["attention", "all"]},
        first=True,
    ),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share of the inputs of added matrices dropped in training",
        search={"uniform": [0.0, 0.2]},
    ),
    Hyperparameter(name="context", type=int, default=256, low=1, meaning="tokens that a prediction may look back on"),
    *shares(
        validation="share of the text for validation",
        test="share of the text, its end, that no trial sees",
        default=0.1,
    ),
    *recipe(
        epochs=3,
        lr=2e-4,
        batch_size=8,
        warmup=0.05,
        clip=1.0,
        search={
            "lr": {"loguniform": [1e-5, 1e-2]},
            "batch_size": {"choice": [4, 8, 16, 32], "ordered": True},
        },
    ),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a fine-tuned model on the end of the text: ``test_loss``, ``test_bits_per_token`` and ``test_accuracy``.

    Raises:
        ValueError: There is no text for testing, or the configuration, the text or the model cannot be used.
        OSError: The text or the model cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    test = windows(load(config), "test", context=config["context"], device=trial.device)
    if not len(test):
        raise ValueError(f"{config['data']}: test={config['test']} leaves no window of context={config['context']}")
    return supervised.evaluate(config, trial, build=network, task=NextToken(), test=test)


def prepare(fixed: Mapping[str, Any]) -> None:
    """Tokenize the text, and import what takes long, before trials are forked. What fails, each trial says."""
    if {"data", "pretrained"} <= fixed.keys():
        with suppress(ValueError, OSError, ImportError, KeyError):
            load(fixed)
            lora_model.import_code(Path(fixed["pretrained"]))


@declare(
    *HYPERPARAMETERS,
    length="epochs",
    metrics=supervised.metrics("bits_per_token", "accuracy"),
    curves=("train_loss", "val_loss"),
    evaluate=evaluate,
    prepare=prepare,
    check_data=check_data,
)
def train(config: Mapping[str, Any], trial: Trial) -> None:
    """Fine-tune a language model by low-rank matrices and report train_* and val_* scores after each epoch.

    Reports what `language` does. On a GPU that is made for it, the frozen model is kept in bfloat16.

    Raises:
        ValueError: The configuration, the text or the model cannot be used.
        OSError: The text or the model cannot be read.
        ImportError: transformers or peft is not installed.
    """
    config = complete(config, HYPERPARAMETERS)
    part = partial(windows, load(config), context=config["context"], device=trial.device)
    half = in_bfloat16(config["precision"], trial.device.partition(":")[0])
    supervised.fit(
        config,
        trial,
        build=partial(network, half=half),
        task=NextToken(),
        train=part("train"),
        validation=part("validation"),
    )


def fine_tuned(config: Mapping[str, Any], checkpoint: Path) -> Any:
    """The fine-tuned model as a ``PeftModel``: its ``save_pretrained`` writes the added matrices as an adapter.

    Args:
        config: The configuration that was trained.
        checkpoint: Its checkpoint, as `sweep best --checkpoint` copies it.
    """
    model = network(complete(config, HYPERPARAMETERS))
    state = files.load(checkpoint)["training"]
    load_weights(model, state["averaged"]["model"] if "averaged" in state else state["model"], frozen_names(model))
    return model.model.eval()


def load(config: Mapping[str, Any]) -> Tokens:
    """The text in the tokens of the model's tokenizer.

    Raises:
        DataError: The text is too short or not UTF-8, or the folder has no tokenizer.
        OSError: A file cannot be read.
    """
    import transformers

    path, folder = Path(config["data"]), Path(config["pretrained"])
    arrays = tokenized(
        path,
        partial(lora_model.encode, folder),
        code=(lora_model.__file__,),
        files=lora_model.tokenizer_files(folder),
        name=transformers.__version__,
    )
    shares = {name: config[name] for name in ("context", "validation", "test")}
    return split(arrays["numbers"], 0, source=path, **shares)


def network(config: Mapping[str, Any], *, half: bool = False) -> nn.Module:
    """The model with its added matrices: int64 tokens [rows, tokens] → logits [rows, tokens, vocabulary].

    Args:
        config: The configuration.
        half: Whether the frozen weights are in bfloat16.
    """
    settings = {name: config[name] for name in ("rank", "alpha", "targets", "dropout")}
    return lora_model.adapted(config["pretrained"], half=half, **settings)
