"""The options of a program whose command line replaces its global variables, as nanoGPT's `configurator.py` does."""

from __future__ import annotations

import ast

from orchestrator.first_spec.parsers.constants import called, constants_of
from orchestrator.first_spec.parsers.option import ProgramOption

CONFIGURATOR = "configurator"
"""In the name of the file that such programs execute: https://github.com/karpathy/nanoGPT."""


def global_options(tree: ast.Module) -> list[ProgramOption]:
    """The variables that are set before the command line is read; empty if the program does not replace any."""
    until = next((number for number, statement in enumerate(tree.body) if _replaces(statement)), 0)
    settings = constants_of(ast.Module(body=tree.body[:until], type_ignores=[]))
    return [
        ProgramOption(name=name, flag=f"--{name}", assigned=True, default=value)
        for name, value in settings.items()
        if isinstance(value, bool | int | float | str) and not name.startswith("_")
    ]


def _replaces(statement: ast.stmt) -> bool:
    """Whether a statement replaces global variables by what the command line says."""
    inner = list(ast.walk(statement))
    executes = any(isinstance(node, ast.Call) and called(node) == "exec" for node in inner)
    texts = [node.value for node in inner if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if executes and any(CONFIGURATOR in text for text in texts):
        return True
    names = {called(node) for node in inner if isinstance(node, ast.Call | ast.Name | ast.Attribute)}
    return {"sys.argv", "globals"} <= names
