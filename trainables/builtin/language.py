"""A GPT trained from the beginning on any text, byte by byte or character by character."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import supervised
from trainables.builtin.language_data import TOKENS, Tokens, load, windows
from trainables.builtin.language_model import NextToken, check_heads, gpt
from trainables.configuration import complete
from trainables.data.problems import DataError, DataProblem, unreadable
from trainables.data.split import shares
from trainables.declaration import REQUIRED, Hyperparameter, declare
from trainables.supervised import recipe
from trainables.trial import Trial

if TYPE_CHECKING:
    from torch import nn

HYPERPARAMETERS = (
    Hyperparameter(name="data", type=Path, default=REQUIRED, meaning="text file"),
    Hyperparameter(
        name="tokens",
        type=str,
        default="bytes",
        choices=TOKENS,
        meaning="what is predicted one by one; losses of bytes and characters compare only in ASCII texts",
    ),
    Hyperparameter(
        name="layers",
        type=int,
        default=4,
        low=1,
        meaning="layers, each of attention and a dense network",
        search={"int": [1, 6]},
        first=True,
    ),
    Hyperparameter(name="heads", type=int, default=4, low=1, meaning="heads of the attention; they divide the width"),
    Hyperparameter(
        name="width",
        type=int,
        default=128,
        low=1,
        meaning="numbers per token",
        search={"choice": [64, 128, 256], "ordered": True},
        first=True,
    ),
    Hyperparameter(name="context", type=int, default=128, low=1, meaning="tokens that a prediction may look back on"),
    Hyperparameter(
        name="dropout",
        type=float,
        default=0.0,
        low=0.0,
        high=1.0,
        meaning="share dropped after each part of a layer, in training",
        search={"uniform": [0.0, 0.3]},
        first=True,
    ),
    *shares(
        validation="share of the text for validation",
        test="share of the text, its end, that no trial sees",
        default=0.1,
    ),
    *recipe(
        epochs=10,
        batch_size=32,
        warmup=0.05,
        weight_decay=0.1,
        beta2=0.99,
        clip=1.0,
        search={
            "lr": {"loguniform": [1e-4, 3e-2]},
            "batch_size": {"choice": [16, 32, 64], "ordered": True},
            "weight_decay": {"loguniform": [1e-3, 1.0]},
        },
    ),
)


def evaluate(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
    """Score a trained GPT on the end of the text: ``test_loss``, ``test_bits_per_token`` and ``test_accuracy``.

    Raises:
        ValueError: There is no text for testing, or the configuration or the text cannot be used.
        OSError: The text cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    tokens = load(config["data"], **_options(config))
    test = windows(tokens, "test", context=config["context"], device=trial.device)
    if not len(test):
        raise ValueError(f"{config['data']}: test={config['test']} leaves no window of context={config['context']}")
    return supervised.evaluate(config, trial, build=partial(network, tokens), task=NextToken(), test=test)


def prepare(fixed: Mapping[str, Any]) -> None:
    """Read the text before trials are forked, unless the spec searches over texts. What fails, each trial says."""
    if "data" in fixed:
        with suppress(ValueError, OSError):
            load(Path(fixed["data"]), **_options(fixed))


def check_data(config: Mapping[str, Any]) -> Iterator[DataProblem]:
    """Look into the text, and at what the context, the shares and the heads need; imports no torch."""
    try:
        check_heads(config["heads"], config["width"])
        tokens = load(config["data"], **_options(config))
    except DataError as error:
        yield error.found
        return
    except OSError as error:
        yield unreadable(config["data"], error)
        return
    start, end = tokens.part("test")
    if config["test"] and end - start <= config["context"]:
        problem = f"{config['data']}: {end - start:,} tokens are for testing, too few for context={config['context']}"
        yield DataProblem(name="test", problem=problem, warning=True)


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
    """Train a GPT on a text, by its bytes or characters, and report train_* and val_* scores after each epoch.

    Reports the loss in nats, ``train_bits_per_token`` and ``val_bits_per_token``, and the share of tokens that were the
    likeliest, ``train_accuracy`` and ``val_accuracy``. :func:`trainables.supervised.fit` says what else is reported.

    Raises:
        ValueError: The configuration or the text cannot be used.
        OSError: The text cannot be read.
    """
    config = complete(config, HYPERPARAMETERS)
    tokens = load(config["data"], **_options(config))
    part = partial(windows, tokens, context=config["context"], device=trial.device)
    supervised.fit(
        config,
        trial,
        build=partial(network, tokens),
        task=NextToken(),
        train=part("train"),
        validation=part("validation"),
    )


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``load``."""
    return {name: config[name] for name in ("tokens", "context", "validation", "test")}


def network(tokens: Tokens, config: Mapping[str, Any]) -> nn.Module:
    """The GPT of a configuration, for the vocabulary of a text."""
    sizes = {name: config[name] for name in ("context", "layers", "heads", "width", "dropout")}
    return gpt(vocabulary=tokens.vocabulary, **sizes)
