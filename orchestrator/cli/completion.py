"""TAB completion of names of sweeps, numbers of trials, and keys and values of `--set`.

The functions run while the user types, so they import little. Where they fail, nothing is completed.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, MutableMapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import typer

from orchestrator.cli.formats import tell
from trainables import BUILTIN

VARIABLE = "_SWEEP_COMPLETE"
"""The environment variable by which a shell asks for completions."""

_BASH = "complete_bash"


def sweeps(ctx: typer.Context, incomplete: str) -> list[str]:
    """The sweeps in the results directory, the latest first. Paths are left to the shell."""
    from orchestrator.records.find import find_all

    return [paths.name for paths in reversed(find_all(_results(ctx)))]


def trials(ctx: typer.Context, incomplete: str) -> list[str]:
    """The trials of the sweep that the command names."""
    return _trials(ctx, ctx.params.get("sweep"))


def sweep_and_trial(ctx: typer.Context, incomplete: str) -> list[str]:
    """For `sweep logs`: a sweep first, then one of its trials; a number alone is a trial of the latest sweep."""
    given = [word for word in ctx.params.get("words") or () if word != incomplete]
    if given:
        return _trials(ctx, given[0])
    return _trials(ctx, None) if incomplete.isdecimal() else sweeps(ctx, incomplete)


def overrides(ctx: typer.Context, incomplete: str) -> list[str]:
    """For `--set`: the keys of the spec, and the values of a key once it is complete."""
    spec = _spec(ctx)
    keys = _keys(spec)
    key, equals, _ = incomplete.partition("=")
    if equals:
        return [f"{key}={value}" for value in _values(key, keys, spec, ctx)]
    fitting = [each for each in keys if each.startswith(incomplete)]
    words = [f"{each}=" for each in fitting]
    if len(fitting) == 1:  # its values beside it keep the shell from typing a space after the equals sign
        words += [f"{fitting[0]}={value}" for value in _values(fitting[0], keys, spec, ctx)]
    return words


def _results(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("results") or os.environ.get("SWEEP_RESULTS") or "results")


def _trials(ctx: typer.Context, sweep: str | None) -> list[str]:
    from orchestrator.records.find import find
    from orchestrator.records.load import trials_table

    return [str(number) for number in trials_table(find(_results(ctx), sweep), ["trial"])["trial"].to_pylist()]


def _spec(ctx: typer.Context) -> dict[str, Any]:
    """The spec that the command names, as it stands, with dotted names; empty if it cannot be read."""
    from ruamel.yaml import YAML

    from orchestrator.spec.nested_names import flatten_names
    from orchestrator.yaml.document import from_mapping

    try:
        found = YAML(typ="safe", pure=True).load(Path(ctx.params["spec"]))
    except Exception:
        return {}
    if not isinstance(found, dict):
        return {}
    document = from_mapping(found)
    flatten_names(document)
    return document.data


def _keys(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The keys that can be set, as dotted paths, each with its JSON Schema."""
    from orchestrator.spec import spec_schema

    schema = spec_schema()
    keys: dict[str, dict[str, Any]] = {}
    for name, each in schema["properties"].items():
        section = next((option["$ref"] for option in (each, *each.get("anyOf", ())) if "$ref" in option), None)
        if section is not None:
            inner = schema["$defs"][section.rpartition("/")[2]]["properties"]
            keys |= {f"{name}.{key}": value for key, value in inner.items()}
        elif name in ("fixed", "space"):
            keys |= {f"{name}.{key}": {} for key in spec.get(name) or ()}
        else:
            keys[name] = each
    return keys


def _values(key: str, keys: dict[str, dict[str, Any]], spec: dict[str, Any], ctx: typer.Context) -> list[str]:
    """The values that a key can have, if they can be listed; else the value that it has now."""
    if key == "objective.metric":
        return _metrics(spec, ctx)
    schema = keys[key]
    for option in (schema, *schema.get("anyOf", ())):
        if "enum" in option:
            return [str(value) for value in option["enum"]]
        if option.get("type") == "boolean":
            return ["true", "false"]
    section, _, name = key.rpartition(".")
    now = (spec.get(section) or {}).get(name) if section else spec.get(name)
    now = schema.get("default") if now is None else now
    return [] if now is None or isinstance(now, dict | list) else [now if isinstance(now, str) else json.dumps(now)]


def _metrics(spec: dict[str, Any], ctx: typer.Context) -> list[str]:
    """The metrics that the trainable declares if it is built in, else those that its latest sweep has recorded.

    A user's own trainable is not imported: that can take seconds, and print.
    """
    from orchestrator.spec.load_trainable import declared

    trainable = str(spec.get("trainable") or spec.get("command"))
    if trainable in BUILTIN:
        declaration = declared(trainable, Path())
        return list(declaration.metrics) if declaration is not None else []

    from orchestrator.records.find import find_sweeps
    from orchestrator.records.load import metrics_table
    from orchestrator.records.provenance import read_sweep_json
    from orchestrator.records.schema import metric_names

    for paths in reversed(find_sweeps(_results(ctx))):
        if read_sweep_json(paths.info).trainable == trainable:
            return metric_names(metrics_table(paths).schema)
    return []


def answer(app: Callable[[], object]) -> int:
    """Answer a shell: run the program, which Typer has print completions, without a word about errors.

    Bash splits words at ``=``, and replaces only the last part. So the parts are joined for the program, and what
    precedes the last one is left out of its answer.

    Args:
        app: The program.

    Returns:
        The exit code, which is always 0.
    """
    before = _join_split_words(os.environ) if os.environ[VARIABLE] == _BASH else ""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()), suppress(Exception, SystemExit):
        app()
    tell("\n".join(line.removeprefix(before) for line in out.getvalue().splitlines()), as_it_is=True)
    return 0


def _join_split_words(environment: MutableMapping[str, str]) -> str:
    """Join the words that bash has split at each ``=``, as in ``--set search.method=ra``.

    Returns:
        The last word up to its last ``=``.
    """
    words = environment.get("COMP_WORDS", "").split("\n")
    current = int(environment.get("COMP_CWORD") or len(words) - 1)
    joined: list[str] = []
    for word in words[: current + 1]:
        if joined and (word.startswith("=") or joined[-1].endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    environment["COMP_WORDS"] = "\n".join(joined)
    environment["COMP_CWORD"] = str(len(joined) - 1)
    last = joined[-1].removeprefix("--set=") if joined else ""
    return last[: last.rfind("=") + 1]
