"""Writes docs/reference from the code: commands, spec and JSON Schema, site profiles, built-in trainables.

`make docs` writes it, and `make check` compares it (``--check``), so that the reference stays up to date.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click  # what `typer utils docs` prints
from typer.main import get_group

from docs import python_reference
from orchestrator.cli.app import app
from orchestrator.formatting import yaml
from orchestrator.sites.profiles import Profile
from orchestrator.space.distribution import Distribution
from orchestrator.space.distributions import FORMS
from orchestrator.spec import spec_schema
from orchestrator.spec.load_trainable import declared, load
from trainables import BUILTIN
from trainables.declaration import REQUIRED, Hyperparameter
from trainables.evaluation import evaluates

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- written by docs/generate.py: change the code, then `make docs` -->\n"
Schema = Mapping[str, Any]


def main() -> int:
    pages = {
        "cli.md": NOTE + commands(),
        "spec.md": NOTE + spec(),
        "profiles.md": NOTE + profiles(),
        "trainables.md": NOTE + trainables(),
        "python.md": NOTE + python_reference.page(),
        "spec.schema.json": json.dumps(spec_schema(), indent=2) + "\n",
    }
    if "--check" not in sys.argv:
        REFERENCE.mkdir(exist_ok=True)
        for name, text in pages.items():
            (REFERENCE / name).write_text(text)
        return 0
    written = {path.name: path.read_text() for path in REFERENCE.glob("*")}
    stale = [name for name in {**pages, **written} if pages.get(name) != written.get(name)]
    for name in stale:
        print(f"docs/reference/{name} is out of date; update it with: make docs")
    return int(bool(stale))


def commands() -> str:
    """The commands and their options."""
    group = get_group(app)
    for command in group.commands.values():
        command.epilog = f"**Example**:\n\n```console\n$ {command.epilog}\n```"
    text = get_docs_for_click(obj=group, ctx=typer.Context(group, info_name="sweep"), name="sweep", title="Commands")
    for name, command in group.commands.items():  # Typer cuts what each is for
        text = re.sub(
            rf"^\* `{name}`: .*$", f"* `{name}`: {(command.help or '').partition(chr(10))[0]}", text, flags=re.M
        )
    note = "Every command with `--format` takes `--json`, too: [agents.md](../agents.md) has what it prints."
    return text.replace("# Commands\n", f"# Commands\n\n{note}\n", 1).rstrip() + "\n"


def spec() -> str:
    """The keys of a spec, section by section, and the distributions."""
    schema = spec_schema()
    parts = [
        "# The spec",
        "A spec is a YAML 1.2 file. `trainable` or `command`, `objective` and, except with method `list`, `space` are"
        " required."
        " `sweep check` reports every mistake in it. For completion in editors, use the JSON Schema:"
        " `sweep check --schema`, or [spec.schema.json](spec.schema.json).",
        _keys(schema, schema),
    ]
    for key, each in schema["properties"].items():
        section = _section(each, schema)
        if section is not None:
            parts += [f"## {key}", section["description"], _keys(section, schema)]
    parts += [
        "## Distributions",
        "The value of each name under `space`, as in `lr: {loguniform: [1e-4, 1e-1]}`.",
        _table(("distribution", "gives", "options"), [_distribution(model) for model in FORMS.values()]),
        *(f"All distributions take `{key}`. {Distribution.model_fields[key].description}" for key in ("when", "prior")),
    ]
    return "\n\n".join(parts) + "\n"


def profiles() -> str:
    """The keys of a site profile."""
    schema = Profile.model_json_schema()
    parts = [
        "# Site profiles",
        "Named settings for clusters, in `~/.config/sweep/profiles.yaml` (`XDG_CONFIG_HOME` is respected;"
        " `SWEEP_PROFILES` selects another file), for `sweep launch SPEC --on mycluster`. A profile named `slurm`"
        " applies to `--on slurm`. [cluster.md](../cluster.md#profiles) has examples.",
        Profile.__doc__ or "",
        _keys(schema, schema),
    ]
    return "\n\n".join(parts) + "\n"


def trainables() -> str:
    """The built-in trainables, from their declarations."""
    parts: list[str] = ["# Built-in trainables", "Each hyperparameter can be set under `space` or under `fixed`."]
    for name in BUILTIN:
        declaration = declared(name, Path.cwd())
        assert declaration is not None
        rows = [
            (f"`{h.name}`", _declared_type(h), _default(h.default), _range(h.search), h.meaning)
            for h in declaration.hyperparameters
        ]
        parts += [
            f"## {name}",
            declaration.summary,
            _table(("hyperparameter", "type", "default", "to search", "meaning"), rows),
            f"A full training takes `{declaration.length}` steps. It reports "
            + ", ".join(f"`{metric}`" for metric in declaration.metrics)
            + "."
            + (" `sweep best --evaluate` scores it on its test set." if evaluates(load(name, Path.cwd())) else ""),
        ]
    return "\n\n".join(parts) + "\n"


def _keys(section: Schema, schema: Schema) -> str:
    rows = []
    for key, each in section["properties"].items():
        inner = _section(each, schema)
        default = "required" if key in section.get("required", ()) else _default(each.get("default"))
        if inner is None:
            rows.append((f"`{key}`", _type(each), default, each["description"]))
        else:
            meaning = " ".join(text for text in (inner["description"], each.get("description")) if text)
            rows.append((f"[`{key}`](#{key})", "section", "required" if default == "required" else "", meaning))
    return _table(("key", "type", "default", "meaning"), rows)


def _section(each: Schema, schema: Schema) -> Schema | None:
    """The section of a key of the spec; None if the key has a plain value."""
    for alternative in (each, *each.get("anyOf", ())):
        if "$ref" in alternative:
            section: Schema = schema["$defs"][alternative["$ref"].rpartition("/")[2]]
            return section
    return None


def _distribution(model: type[Distribution]) -> tuple[str, str, str]:
    keys = model.model_json_schema()["properties"]
    options = [
        f"`{key}`: {each['description']}" for key, each in keys.items() if key not in (model.form, "when", "prior")
    ]
    gives = (model.__doc__ or "").partition("\n")[0]
    return f"`{model.form}`: {keys[model.form]['description']}", gives, " ".join(options)


def _type(each: Schema) -> str:
    """A JSON Schema in words, as: integer ≥ 1."""
    alternatives = each.get("anyOf") or each.get("oneOf")
    if alternatives:
        return " or ".join(text for text in map(_type, alternatives) if text != "null")
    if "enum" in each:
        return ", ".join(f"`{value}`" for value in each["enum"])
    if "const" in each:
        return f"`{each['const']}`"
    if "examples" in each:
        return "text as " + ", ".join(f"`{value}`" for value in each["examples"])
    kind = {"object": "mapping", "array": "list", "string": "text"}.get(each["type"], str(each["type"]))
    bounds = {"minimum": "≥", "exclusiveMinimum": ">"}
    return " ".join([kind, *(f"{sign} {each[bound]}" for bound, sign in bounds.items() if bound in each)])


def _declared_type(h: Hyperparameter) -> str:
    if h.choices:
        return ", ".join(f"`{choice}`" for choice in h.choices)
    bounds = [f"{sign} {bound:g}" for sign, bound in (("≥", h.low), ("≤", h.high)) if math.isfinite(bound)]
    return " ".join([h.type.__name__.lower(), *bounds])


def _range(search: Mapping[str, Any] | None) -> str:
    return "" if search is None else f"`{yaml(dict(search))}`"


def _default(value: Any) -> str:
    if value is REQUIRED:
        return "required"
    return "" if value in (None, {}, []) else f"`{value}`"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines: list[Sequence[str]] = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
