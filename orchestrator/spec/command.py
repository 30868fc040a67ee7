"""The keys of a spec whose trials run a program: its command line, its environment and where its metrics are."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from orchestrator.formatting import shown
from orchestrator.space.values import mistake
from orchestrator.spec.sections import Section


def _command(given: str | list[str]) -> str | list[str]:
    try:
        arguments = shlex.split(given) if isinstance(given, str) else given
    except ValueError as error:
        raise mistake(f"{shown(given)} cannot be split into arguments: {error}", "close each quote") from None
    if not arguments or not arguments[0]:
        raise mistake("the command is empty", "as in command: python train.py --lr {lr}")
    if any("\0" in argument for argument in arguments):
        raise mistake(f"{shown(given)} contains a null character, which no argument can", "")
    return given


def _env_name(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise mistake(f"{shown(name)} cannot name an environment variable", "as in WANDB_MODE")
    return name


def _env_value(value: Any) -> str:
    """Text; a number, true or false as YAML writes it."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str) or "\0" in value:
        raise mistake(f"{shown(value)} cannot be the value of an environment variable", "text or a number")
    return value


Command = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")],
    Discriminator(lambda given: "list" if isinstance(given, list) else "text"),
    AfterValidator(_command),
]


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise mistake(f"{shown(text)} is not a regular expression: {error}") from None
    if not groups:
        raise mistake(f"{shown(text)} has no named group", r"as in loss (?P<loss>\S+)")
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
EnvName = Annotated[str, AfterValidator(_env_name)]
EnvValue = Annotated[str, BeforeValidator(_env_value)]


class Output(Section):
    """Where the metrics of a program are: by default in JSON lines that it prints, as in
    {"step": 1, "val": {"loss": 0.5}}, which reports val/loss at step 1. Dictionaries of Python count as well."""

    path: str | None = Field(
        default=None,
        min_length=1,
        description="A file that the program writes, in place of what it prints, as in {trial_dir}/metrics.csv; with"
        " `*`, the newest that fits. Of TensorBoard's event files, their directory.",
    )
    format: Literal["jsonl", "csv", "tensorboard"] | None = Field(
        default=None, description="The format of the file. Default: as its name ends."
    )
    pattern: Pattern | None = Field(
        default=None,
        description="A regular expression for each line, with a named group for each metric: `loss (?P<loss>\\S+)`. Or"
        " with the groups name and value, which each match has: `(?P<name>\\w+)=(?P<value>\\S+)`.",
    )
    step: str | None = Field(
        default=None,
        min_length=1,
        description="The number that counts the steps. Default: step, else epoch, iteration or global_step.",
    )


def arguments(command: str | list[str]) -> tuple[str, ...]:
    """The arguments of a command line, split as a shell does."""
    return tuple(shlex.split(command) if isinstance(command, str) else command)


def quoted(argument: str) -> str:
    """An argument as people write it: its placeholders need no quotes."""
    return argument if re.fullmatch(r"[\w@%+=:,./{}-]+", argument) else shlex.quote(argument)
