"""The options of a Hydra program: the values of its primary configuration, each of which `name=value` overrides."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.first_spec.parsers.constants import called, constants_of, keywords
from orchestrator.first_spec.parsers.option import ProgramOption


def hydra_options(tree: ast.Module, script: Path) -> list[ProgramOption]:
    """The options in the order of the configuration; empty if the program has no ``@hydra.main``, or its file is gone.

    Config groups, values that refer to others, and lists are left out.
    """
    config = primary_config(tree, script)
    if config is None:
        return []
    from orchestrator.yaml.reader import from_yaml

    data = from_yaml(config.read_text(), config.name).data
    return [
        ProgramOption(name=name, flag=name, assigned=True, default=value)
        for name, value in _flat(data, "")
        if not isinstance(value, list) and not (isinstance(value, str) and "${" in value)
    ]


def primary_config(tree: ast.Module, script: Path) -> Path | None:
    """The file of the configuration that ``@hydra.main`` names; None if there is none."""
    names = constants_of(tree)
    for node in ast.walk(tree):
        for each in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(each, ast.Call) and called(each) in ("hydra.main", "main"):
                given = keywords(each, names)
                name, directory = given.get("config_name"), given.get("config_path")
                if isinstance(name, str):
                    path = script.parent / (directory if isinstance(directory, str) else "") / name
                    path = path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")
                    return path if path.is_file() else None
    return None


def _flat(values: Mapping[str, Any], group: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{group}{name}.")
        elif name not in ("defaults", "hydra", "_target_"):
            yield f"{group}{name}", value
