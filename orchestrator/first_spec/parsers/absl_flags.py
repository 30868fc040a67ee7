"""The options that a program defines as flags of absl."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from orchestrator.first_spec.parsers.constants import called, constant, constants_of, keywords
from orchestrator.first_spec.parsers.option import ProgramOption

_TYPES: Mapping[str, type] = {
    "DEFINE_float": float,
    "DEFINE_integer": int,
    "DEFINE_string": str,
    "DEFINE_enum": str,
    "DEFINE_bool": bool,
    "DEFINE_boolean": bool,
}


def absl_options(tree: ast.Module) -> list[ProgramOption]:
    """The options in the order of the source; empty if the program defines none."""
    names, options = constants_of(tree), []
    for node in ast.walk(tree):
        define = called(node).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if not isinstance(node, ast.Call) or define not in _TYPES or len(node.args) < 2:
            continue
        name, default, *rest = (constant(each, names) for each in node.args)
        choices = (
            keywords(node, names).get("enum_values", rest[0] if rest else None) if define == "DEFINE_enum" else None
        )
        if isinstance(name, str):
            options.append(
                ProgramOption(
                    name=name,
                    flag=f"--{name}",
                    declared=_TYPES[define],
                    default=default,
                    choices=tuple(choices) if isinstance(choices, list) else (),
                    is_switch=_TYPES[define] is bool,
                )
            )
    return options
