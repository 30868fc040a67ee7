"""Dataclasses of libraries that many programs parse: their options that matter to a sweep.

The program is read and not run, and what it imports is not read.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from orchestrator.first_spec.parsers.dataclass_fields import imported_dataclasses
from orchestrator.first_spec.parsers.option import ProgramOption


def _option(name: str, declared: type, default: object, advised: object = None) -> ProgramOption:
    return ProgramOption(name=name, flag=f"--{name}", declared=declared, default=default, advised=advised)


# https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments
_TRAINING_ARGUMENTS = (
    _option("output_dir", str, None),
    _option("eval_strategy", str, "no", advised="epoch"),
    _option("num_train_epochs", float, 3.0),
    _option("learning_rate", float, 5e-5),
    _option("per_device_train_batch_size", int, 8),
    _option("weight_decay", float, 0.0),
    _option("max_grad_norm", float, 1.0),
    _option("seed", int, 42),
)

KNOWN: Mapping[str, tuple[ProgramOption, ...]] = {
    "TrainingArguments": _TRAINING_ARGUMENTS,
    "Seq2SeqTrainingArguments": _TRAINING_ARGUMENTS,
}


def known_options(tree: ast.Module) -> list[ProgramOption]:
    """The options of the known dataclasses that the program parses."""
    return [option for name in imported_dataclasses(tree) for option in KNOWN.get(name, ())]


def known_metrics(tree: ast.Module) -> list[str]:
    """The metrics that the library prints of a training with such arguments."""
    return ["eval_loss"] if known_options(tree) else []
