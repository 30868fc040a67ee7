"""The options of a program whose command line is made by click's decorators."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from orchestrator.first_spec.parsers.constants import called, constant, constants_of, keywords, type_named
from orchestrator.first_spec.parsers.option import ProgramOption

_TYPES: Mapping[str, type] = {"INT": int, "FLOAT": float, "STRING": str, "BOOL": bool, "Path": str, "File": str}
_RANGES: Mapping[str, type] = {"IntRange": int, "FloatRange": float}


def click_options(tree: ast.Module) -> list[ProgramOption]:
    """The options in the order of the source; empty if the program has none."""
    names = constants_of(tree)
    decorators = [
        each
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for each in node.decorator_list
        if isinstance(each, ast.Call)
    ]
    options: dict[str, ProgramOption] = {}
    for each in decorators:
        if called(each) in ("click.option", "click.argument", "option", "argument"):
            option = _option(each, names)
            if option is not None:
                options.setdefault(option.name, option)
    return list(options.values())


def _option(call: ast.Call, names: Mapping[str, Any]) -> ProgramOption | None:
    texts = [each for arg in call.args if isinstance(each := constant(arg, names), str)]
    if not texts:
        return None
    given = keywords(call, names)
    positional = called(call).endswith("argument")
    flag = next((each for each in texts if each.startswith("--")), texts[0])
    on, _, off = flag.partition("/")
    own_name = next((each for each in texts if not each.startswith("-")), "")
    type_, choices = _type(next((each.value for each in call.keywords if each.arg == "type"), None), names)
    return ProgramOption(
        name=(own_name or on.lstrip("-")).replace("-", "_").lower(),
        flag="" if positional else on,
        declared=type_,
        default=given.get("default"),
        choices=choices,
        required=given.get("required", positional) is True,
        is_switch=bool(off) or given.get("is_flag") is True or given.get("count") is True,
        several=given.get("multiple") is True or given.get("nargs", 1) != 1,
    )


def _type(node: ast.expr | None, names: Mapping[str, Any]) -> tuple[type | None, tuple[Any, ...]]:
    """The type, and the choices."""
    if node is None:
        return None, ()
    last = called(node).rpartition(".")[2]
    if isinstance(node, ast.Call) and last == "Choice" and node.args:
        values = constant(node.args[0], names)
        return None, tuple(values) if isinstance(values, list) else ()
    return type_named(node) or _TYPES.get(last) or _RANGES.get(last), ()
