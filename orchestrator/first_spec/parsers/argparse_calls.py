"""The options that a program adds to an ``argparse.ArgumentParser``, wherever it does."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.first_spec.parsers.constants import called, constant, constants_of, keywords, type_named
from orchestrator.first_spec.parsers.option import ProgramOption

_SWITCHES = ("store_true", "store_false", "store_const", "append_const", "count", "version", "help")


def argparse_options(tree: ast.Module) -> list[ProgramOption]:
    """The options in the order of the source; empty if the program adds none."""
    names = constants_of(tree)
    defaults: dict[str, Any] = {}
    options: dict[str, ProgramOption] = {}
    for node in _calls(tree):
        method = called(node).rpartition(".")[2]
        if method == "set_defaults":
            defaults |= keywords(node, names)
        elif method == "add_argument" and (option := _option(node, names)) is not None:
            options.setdefault(option.name, option)
    return [_with_default(option, defaults) for option in options.values()]


def _calls(tree: ast.Module) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda node: (node.lineno, node.col_offset))


def _option(call: ast.Call, names: Mapping[str, Any]) -> ProgramOption | None:
    flags = [constant(each, names) for each in call.args]
    flags = [each for each in flags if isinstance(each, str)]
    given = keywords(call, names)
    if not flags or given.get("action") in ("version", "help"):
        return None
    flag = next((each for each in flags if each.startswith("--")), flags[0])
    positional = not flag.startswith("-")
    name = given.get("dest") if isinstance(given.get("dest"), str) else flag.lstrip("-")
    type_ = next((type_named(each.value) for each in call.keywords if each.arg == "type"), None)
    choices = given.get("choices")
    boolean = any(ast.unparse(each.value).endswith("BooleanOptionalAction") for each in call.keywords)
    optional = given.get("nargs") in ("?", "*")
    return ProgramOption(
        name=str(name).replace("-", "_"),
        flag="" if positional else flag,
        declared=type_,
        default=given.get("default"),
        choices=tuple(choices) if isinstance(choices, list) else (),
        required=given.get("required") is True or (positional and not optional),
        is_switch=boolean or given.get("action") in _SWITCHES,
        several=given.get("nargs") is not None and not (given["nargs"] == "?" or given["nargs"] == 1),
    )


def _with_default(option: ProgramOption, defaults: Mapping[str, Any]) -> ProgramOption:
    return replace(option, default=defaults[option.name]) if option.name in defaults else option
