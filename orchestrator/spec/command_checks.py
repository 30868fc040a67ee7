"""Checks a command: it stands in place of a trainable, its placeholders exist, and it uses every hyperparameter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.expressions.grammar import ExpressionError, parsed
from orchestrator.space.names import groups_of
from orchestrator.spec.command import Output
from orchestrator.spec.max_step import UNDECLARED_LENGTH
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.suggestions import did_you_mean
from orchestrator.yaml.document import Path
from trainables.command.config_files import FORMATS
from trainables.command.metrics.pattern import PAIR
from trainables.command.output import format_of
from trainables.command.template import names_in
from trainables.command.values import OWN_NAMES, RESUME, config_name


def check_command(partial: PartialSpec) -> None:
    """Add a mistake for everything in the command, and beside it, that does not fit together."""
    spec, document = partial.spec, partial.document
    given = [key for key in ("trainable", "command") if key in document.data]
    if len(given) == 2:
        document.add(("command",), "trainable names what to train, too", "either trainable or command")
    if "command" not in given:
        others: list[Path] = [("env",)] if spec.env else []
        others += [("output",)] if spec.output is not None else []
        others += [("resume",)] if spec.resume is not None else []
        others += [("template",)] if spec.template is not None else []
        others += [("trial", "grace")] if spec.trial.grace is not None else []
        for path in others:
            document.add(path, f"{path[-1]} is for a program", "only with command, in place of trainable")
    elif all(map(partial.is_valid, ("command", "env", "output", "template", "resume"))):
        _check_placeholders(partial)
        _check_output(partial)


def _check_placeholders(partial: PartialSpec) -> None:
    parameters = (*partial.searched_names(), *partial.fixed_names(), *partial.derived_names())
    groups = {group for name in parameters for group in groups_of(name)}
    template = partial.spec.template or ""
    own = dict.fromkeys([*OWN_NAMES, *([config_name(template)] if template else ())])
    used = set()
    for path, text in _texts(partial):
        for name in names_in(text):
            used.add(name)
            if name not in parameters and name not in groups and name not in own:
                allowed = did_you_mean(name, [*parameters, *own])
                partial.document.add(path, f"there is no value for {{{name}}}", allowed)
    document = partial.document
    if partial.spec.resume is not None and RESUME not in used:
        document.add(("resume",), "nothing uses resume", "{resume} in command")
    if template and config_name(template) not in used:
        document.add(("template",), "nothing uses the template", f"{{{config_name(template)}}} in command")
    if any(name in used for name in FORMATS if not template or name != config_name(template)):
        return
    used |= _names_in_template(partial)
    used |= {UNDECLARED_LENGTH, *_names_in_expressions(partial, parameters)}
    for name in parameters:
        if used.isdisjoint([name, *groups_of(name)]):
            others = {"fixed": partial.fixed_names(), "derived": partial.derived_names()}
            section = next((section for section, names in others.items() if name in names), None)
            path = partial.searched_path(name) if section is None else (section, name)
            partial.document.add(path, f"the command does not use {name}", _where(name, template))


def _where(name: str, template: str) -> str:
    return f"{{{name}}} in {template}" if template else f"{{{name}}} in command or env, or {{config.yaml}} in command"


def _names_in_template(partial: PartialSpec) -> set[str]:
    """The names in the template; none if it cannot be read, which is said when its command is looked for."""
    try:
        return set(names_in((partial.base / (partial.spec.template or "")).read_text()))
    except (OSError, UnicodeDecodeError):
        return set()


def _check_output(partial: PartialSpec) -> None:
    output, document = partial.spec.output or Output(), partial.document
    path = output.path
    if path is None and output.format is not None:
        document.add(("output", "path"), f"no file of format {output.format} is named", "as in {trial_dir}/metrics.csv")
    if output.pattern is not None and output.format not in (None, "jsonl"):
        allowed = "leave out one of them: a pattern is for lines"
        document.add(("output", "pattern"), f"format {output.format} takes no pattern", allowed)
    if path is not None and not any(names_in(path)):
        document.add(("output", "path"), "all trials would write the same file", f"as in {{trial_dir}}/{path}")
    if path is not None and output.format is None and output.pattern is None and format_of(path) is None:
        document.add(
            ("output", "format"), f"{path} does not tell its format", "jsonl, csv, or tensorboard; or a pattern"
        )
    groups = re.compile(output.pattern).groupindex.keys() if output.pattern is not None else set()
    metric = partial.spec.objective.metric
    if groups and not groups >= PAIR and metric not in groups and partial.is_valid("objective", "metric"):
        document.add(
            ("output", "pattern"), f"there is no group for the objective: (?P<{metric}>…)", did_you_mean(metric, groups)
        )


def _texts(partial: PartialSpec) -> Iterator[tuple[Path, str]]:
    """Every text with placeholders, and where it is written."""
    for key, given in (("command", partial.spec.command), ("resume", partial.spec.resume)):
        if isinstance(given, str):
            yield (key,), given
        for at, argument in enumerate(given if isinstance(given, list) else ()):
            yield (key, at), argument
    for name, value in partial.spec.env.items():
        yield ("env", name), value
    if partial.spec.output is not None and partial.spec.output.path is not None:
        yield ("output", "path"), partial.spec.output.path


def _names_in_expressions(partial: PartialSpec, parameters: tuple[str, ...]) -> Iterator[str]:
    """Parameters that decide about others may be there for nothing else."""
    spec = partial.spec
    conditions = (each.when for each in spec.space.values() if each.when is not None)
    for text in (*spec.constraints, *conditions, *spec.derived.values()):
        try:
            yield from parsed(text, parameters, value=True)[0]
        except ExpressionError:  # reported where it is written
            continue
