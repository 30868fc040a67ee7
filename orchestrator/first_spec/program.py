"""Proposes a spec for a training program: its options become the command, what is searched and what is fixed.

The program is read, not run.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft, Proposed
from orchestrator.first_spec.metrics import objective_of, printed_metrics
from orchestrator.first_spec.parsers.absl_flags import absl_options
from orchestrator.first_spec.parsers.argparse_calls import argparse_options
from orchestrator.first_spec.parsers.click_options import click_options
from orchestrator.first_spec.parsers.dataclass_fields import dataclass_options, imported_dataclasses
from orchestrator.first_spec.parsers.hydra_config import hydra_options
from orchestrator.first_spec.parsers.known_dataclasses import KNOWN, known_metrics, known_options
from orchestrator.first_spec.parsers.option import ProgramOption
from orchestrator.first_spec.parsers.overridden_globals import global_options
from orchestrator.first_spec.parsers.signatures import fire_options, typer_options
from orchestrator.first_spec.printed_lines import printed_line
from orchestrator.first_spec.ranges import LENGTHS, directory_of, is_length, is_resume, is_seed, range_of
from orchestrator.formatting import listed
from orchestrator.spec.max_step import UNDECLARED_LENGTH

READ = (
    "argparse, typer, click, fire, absl, Hydra, a dataclass (transformers, simple-parsing, tyro, draccus), or global"
    " variables that the command line replaces (as in nanoGPT)"
)


def options_of(tree: ast.Module, script: Path) -> list[ProgramOption]:
    """The options of a program; empty if none of the known libraries makes its command line."""
    found = (
        hydra_options(tree, script)
        or typer_options(tree)
        or click_options(tree)
        or fire_options(tree)
        or absl_options(tree)
        or global_options(tree)
    )
    if found:
        return found
    own = argparse_options(tree)
    return [*{each.name: each for each in (*known_options(tree), *dataclass_options(tree), *own)}.values()]


def from_program(tree: ast.Module, script: Path, shown: str) -> Draft:
    """Propose a spec.

    Args:
        tree: The program's syntax tree.
        script: Its file.
        shown: Its path as the command is to have it.

    Raises:
        UserError: It has no options that could be read, or none to search.
    """
    options = options_of(tree, script)
    if not options:
        raise UserError(f"{shown}: no options found; they are read from {READ}")
    length = min((each for each in options if is_length(each)), key=lambda each: LENGTHS.index(each.word), default=None)
    space = {each.name: proposed for each in options if (proposed := range_of(each)) is not None and each != length}
    directories = {each.name: place for each in options if each.name not in space and (place := directory_of(each))}
    fixed = {each.name: Proposed(value=_default(each)) for each in (length,) if each is not None and _is_told(each)}
    fixed |= {each.name: Proposed(value=each.advised) for each in options if each.advised is not None}
    missing = [
        each
        for each in options
        if each.required and each.name not in space and each.name not in {**fixed, **directories}
    ]
    arguments = ["python", shown]
    for each in options:
        if each.name in {**space, **fixed} or each in missing:
            arguments += _argument(each, f"{{{each.name}}}")
        elif each.name in directories:
            arguments += _argument(each, f"{{{directories[each.name]}}}")
        elif is_seed(each):
            arguments += _argument(each, "{seed}")
    metrics = printed_metrics(tree) or known_metrics(tree)
    line = None if metrics else printed_line(tree)
    output = {} if line is None else {"output": Proposed(value={"pattern": line.pattern})}
    notes = _notes(options, tree, [*space, *fixed, *directories], missing)
    return Draft(
        source=shown,
        notes=tuple(notes),
        runs=("command", Proposed(value=" ".join(arguments))),
        fixed=fixed,
        space=space,
        objective=objective_of(metrics if line is None else line.metrics),
        sections={**output, **_scheduler(length), "budget": Proposed(value={"trials": max(20, 10 * len(space))})},
    )


def _scheduler(length: ProgramOption | None) -> dict[str, Proposed]:
    """The length of a training, unless it is read from `epochs`."""
    if length is None or not _is_told(length) or length.name == UNDECLARED_LENGTH:
        return {}
    return {"scheduler": Proposed(value={"max": _default(length)}, remark=f"as {length.name}")}


def _notes(
    options: Sequence[ProgramOption], tree: ast.Module, used: Sequence[str], missing: Sequence[ProgramOption]
) -> list[str]:
    notes = []
    if missing:
        names = listed([each.name for each in missing])
        notes.append(f"{names} must be given: write a value under fixed.")
    if not any(range_of(each) for each in options):
        notes.append("No option has a name that is known to be worth searching: move what is to be searched to space.")
    left = [
        each.name
        for each in options
        if each.name not in used and each not in missing and not is_seed(each) and not is_resume(each)
    ]
    if left:
        notes.append(f"Left at their defaults: {', '.join(left)}.")
    resume = next((each for each in options if is_resume(each) and not each.is_switch), None)
    if resume is not None:
        notes.append(
            f"{resume.flag or resume.name} may continue from a checkpoint: save to {{checkpoint_dir}} and add"
            f" {{resume}} to the command, with resume: {resume.flag} {{checkpoint_dir}}/FILE, and killed trials go on."
        )
    elsewhere = [name for name in imported_dataclasses(tree) if name not in KNOWN]
    if elsewhere:
        notes.append(f"The options of {listed(elsewhere)} were not read: they are defined elsewhere.")
    if not any(is_length(each) for each in options):
        notes.append("The length of a training is not known: set scheduler.max to stop weak trials early.")
    return notes


def _argument(option: ProgramOption, value: str) -> list[str]:
    if not option.flag:
        return [value]
    return [f"{shlex.quote(option.flag)}={value}"] if option.assigned else [shlex.quote(option.flag), value]


def _is_told(option: ProgramOption) -> bool:
    return isinstance(option.default, int | float) and not isinstance(option.default, bool)


def _default(option: ProgramOption) -> Any:
    whole = isinstance(option.default, float) and option.default.is_integer()
    return int(option.default) if whole else option.default
