"""The options of a program whose command line is made from dataclasses, as transformers, tyro and draccus do."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.first_spec.parsers.constants import called, constants_of
from orchestrator.first_spec.parsers.option import ProgramOption
from orchestrator.first_spec.parsers.signatures import plain_option


@dataclass(frozen=True, kw_only=True)
class _Style:
    """How a library writes the options of a dataclass.

    Attributes:
        dashes: Whether underscores become dashes.
        nested: Whether a field that is a dataclass is a group, with its name before the dot.
    """

    dashes: bool = False
    nested: bool = False


_PARSERS: Mapping[str, _Style] = {
    "HfArgumentParser": _Style(),
    "TrlParser": _Style(),
    "simple_parsing.parse": _Style(),
    "add_arguments": _Style(),
    "tyro.cli": _Style(dashes=True, nested=True),
    "draccus.parse": _Style(nested=True),
    "draccus.wrap": _Style(nested=True),
    "pyrallis.parse": _Style(nested=True),
    "pyrallis.wrap": _Style(nested=True),
    "chz.entrypoint": _Style(nested=True),
}


def dataclass_options(tree: ast.Module) -> list[ProgramOption]:
    """The options in the order of the fields; empty if no dataclass of the program is parsed."""
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    names = constants_of(tree)
    options: dict[str, ProgramOption] = {}
    for style, parsed in _parsed(tree):
        for name in parsed:
            if name in classes:
                for option in _of_class(classes[name], classes, names, style):
                    options.setdefault(option.name, option)
    return list(options.values())


def imported_dataclasses(tree: ast.Module) -> list[str]:
    """Dataclasses that are parsed and come from elsewhere, so that their options are not read."""
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return [name for _, parsed in _parsed(tree) for name in parsed if name not in classes and name[:1].isupper()]


def _parsed(tree: ast.Module) -> Iterator[tuple[_Style, Sequence[str]]]:
    """The style and the names of what is given to a parser, in each call of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            style = next((each for known, each in _PARSERS.items() if f".{name}".endswith(f".{known}")), None)
            if style is not None:
                values = [*node.args, *(each.value for each in node.keywords)]
                yield style, [each.id for value in values for each in ast.walk(value) if isinstance(each, ast.Name)]
        elif isinstance(node, ast.FunctionDef):  # @draccus.wrap() def main(config: Config)
            for each in node.decorator_list:
                if called(each) in ("draccus.wrap", "pyrallis.wrap") and node.args.args:
                    annotation = node.args.args[0].annotation
                    yield _PARSERS[called(each)], [annotation.id] if isinstance(annotation, ast.Name) else []


def _of_class(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], names: Mapping[str, Any], style: _Style, group: str = ""
) -> Iterator[ProgramOption]:
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id != node.name:
            yield from _of_class(classes[base.id], classes, names, style, group)
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        name = f"{group}{field.target.id}"
        inner = field.annotation.id if isinstance(field.annotation, ast.Name) else ""
        if style.nested and inner in classes and inner != node.name and group.count(".") < len(classes):
            yield from _of_class(classes[inner], classes, names, style, f"{name}.")
            continue
        flag = f"--{name.replace('_', '-') if style.dashes else name}"
        option = plain_option(name, field.annotation, _default(field.value), names, flag=flag)
        yield replace(option, required=field.value is None or _is_required(field.value))


def _default(value: ast.expr | None) -> ast.expr | None:
    """The default of a field, also of ``field(default=…)``."""
    if isinstance(value, ast.Call) and called(value).rpartition(".")[2] == "field":
        return next((each.value for each in value.keywords if each.arg == "default"), None)
    return value


def _is_required(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call) or called(value).rpartition(".")[2] != "field":
        return False
    return not any(each.arg in ("default", "default_factory") for each in value.keywords)
