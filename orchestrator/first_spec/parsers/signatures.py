"""The options of a program whose command line is made from the signature of a function: typer, fire, tyro."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.first_spec.parsers.constants import called, constant, constants_of, literals_of, type_named
from orchestrator.first_spec.parsers.option import UNKNOWN, ProgramOption

Function = ast.FunctionDef | ast.AsyncFunctionDef


def typer_options(tree: ast.Module) -> list[ProgramOption]:
    """The options of the function that `typer.run` is given, or of the one command of an app; else empty."""
    functions = _functions(tree)
    commands = [
        node
        for node in functions.values()
        if any(called(each).endswith((".command", ".callback")) for each in node.decorator_list)
    ]
    given = [functions[name] for name in _passed_to(tree, "typer.run", "run") if name in functions]
    chosen = given or commands
    if not chosen or "typer" not in _imported(tree):
        return []
    names, enums = constants_of(tree), _enums(tree)
    return [_typer_option(*parameter, names, enums) for parameter in parameters_of(chosen[0])]


def fire_options(tree: ast.Module) -> list[ProgramOption]:
    """The options of the function that `fire.Fire` is given; else empty."""
    functions, names = _functions(tree), constants_of(tree)
    given = [functions[name] for name in _passed_to(tree, "fire.Fire", "Fire") if name in functions]
    if not given or "fire" not in _imported(tree):
        return []
    return [
        plain_option(name, annotation, default, names, flag=f"--{name}")
        for name, annotation, default in parameters_of(given[0])
    ]


def plain_option(
    name: str, annotation: ast.expr | None, default: ast.expr | None, names: Mapping[str, Any], *, flag: str
) -> ProgramOption:
    """An option by an annotation and a default."""
    type_ = type_named(annotation)
    return ProgramOption(
        name=name,
        flag=flag,
        declared=type_,
        default=constant(default, names),
        choices=literals_of(annotation, names),
        required=default is None,
        is_switch=type_ is bool,
        several=annotation is not None and ast.unparse(annotation).partition("[")[0].lower() in ("list", "tuple"),
    )


def parameters_of(function: Function) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """The name, the annotation and the default of each parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    for each, default in zip([*positional, *arguments.kwonlyargs], [*defaults, *arguments.kw_defaults], strict=True):
        yield each.arg, each.annotation, default


def _typer_option(
    name: str,
    annotation: ast.expr | None,
    default: ast.expr | None,
    names: Mapping[str, Any],
    enums: Mapping[str, tuple[Any, ...]],
) -> ProgramOption:
    declared = next(_declarations(annotation, default), None)
    if declared is not None and declared is default:  # the older form: `lr: float = typer.Option(0.1)`
        default = declared.args[0] if declared.args else None
        default = None if isinstance(default, ast.Constant) and default.value is ... else default
    texts = [each for arg in declared.args if isinstance(each := constant(arg, names), str)] if declared else []
    flags = [each for each in texts if each.startswith("--")]
    positional = (default is None and declared is None) or (
        declared is not None and called(declared).endswith("Argument")
    )
    flag = "" if positional else (flags[0].partition("/")[0] if flags else f"--{name.replace('_', '-')}")
    option = plain_option(name, annotation, default, names, flag=flag)
    choices = option.choices or _enum_choices(annotation, enums)
    of_enum = isinstance(default, ast.Attribute) and choices
    return replace(option, choices=choices, default=UNKNOWN if of_enum else option.default)


def _declarations(*nodes: ast.expr | None) -> Iterator[ast.Call]:
    """The calls of typer.Option or typer.Argument in annotation and default."""
    for node in nodes:
        for each in ast.walk(node) if node is not None else ():
            if isinstance(each, ast.Call) and called(each).rpartition(".")[2] in ("Option", "Argument"):
                yield each


def _enum_choices(annotation: ast.expr | None, enums: Mapping[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    named = [each.id for each in ast.walk(annotation) if isinstance(each, ast.Name)] if annotation is not None else []
    return next((enums[name] for name in named if name in enums), ())


def _enums(tree: ast.Module) -> dict[str, tuple[Any, ...]]:
    """The values of each enumeration of the module."""
    return {
        node.name: tuple(
            each.value.value
            for each in node.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases)
    }


def _functions(tree: ast.Module) -> dict[str, Function]:
    return {node.name: node for node in tree.body if isinstance(node, Function)}


def _passed_to(tree: ast.Module, *functions: str) -> list[str]:
    """The names that are the first argument of calls of these functions."""
    return [
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in functions and node.args and isinstance(node.args[0], ast.Name)
    ]


def _imported(tree: ast.Module) -> set[str]:
    """The packages that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
