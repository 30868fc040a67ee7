"""What replaces the placeholders of a command in a trial: values, directories, and files that are written for it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from trainables.command.config_files import FORMATS
from trainables.command.template import fill
from trainables.trial import Trial

CHECKPOINT_DIR, RESUME = "checkpoint_dir", "resume"
OWN_NAMES = ("trial_dir", "trial", "seed", CHECKPOINT_DIR, RESUME, *FORMATS)
"""Placeholders besides the parameters; a parameter of the same name comes first."""


def config_name(template: str) -> str:
    """The placeholder of a filled template: ``config.yaml`` of ``conf/base.yaml``."""
    return f"config{os.path.splitext(template)[1]}"


def values_of(
    names: Iterable[str], trial: Trial, config: Mapping[str, Any], *, template: str, parameters: Collection[str]
) -> dict[str, Any]:
    """The value of each placeholder that has one.

    Args:
        names: The placeholders.
        trial: The trial, in whose directory files are written.
        config: Its configuration, nested.
        template: The path of a file that is filled; "": none.
        parameters: All parameters, with those that have no value in this configuration.
    """
    values: dict[str, Any] = {}
    for name in names:
        value = within(config, name)
        if value is None and name not in parameters:
            value = _own(name, trial, config, template, parameters)
        if value is not None:
            values[name] = value
    return values


def within(config: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name in a nested configuration; None if it has none."""
    value: Any = config
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _own(
    name: str, trial: Trial, config: Mapping[str, Any], template: str, parameters: Collection[str]
) -> str | int | None:
    match name:
        case "trial_dir":
            return str(trial.directory.absolute())
        case "trial":
            return trial.number
        case "seed":
            return trial.seed
        case _ if template and name == config_name(template):
            values = {each: within(config, each) for each in (*parameters, *config)}
            return _written(trial, name, fill(Path(template).read_text(), values))
        case _ if name in FORMATS:
            return _written(trial, name, FORMATS[name](config))
    return None


def _written(trial: Trial, name: str, text: str) -> str:
    """Write a file; with several ranks, rank 0 writes it for all."""
    path = trial.directory.absolute() / name
    if not trial.rank:
        path.write_text(text)
    return str(path)
