"""Writes specs as YAML the way people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.formatting import yaml
from orchestrator.spec.model import Spec

EXPRESSIONS = ("when", "constraints", "derived")
"""Keys whose texts are always quoted."""


def spec_yaml(spec: Spec) -> str:
    """A spec as YAML without default values; ``read_spec`` reads the same spec back."""
    plain = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    lines = []
    for key, value in plain.items():
        if isinstance(value, Mapping) and value:
            lines += [
                f"{key}:",
                *(line(name, each, indent=2, quoted=key in EXPRESSIONS) for name, each in value.items()),
            ]
        else:
            lines.append(line(key, value))
    return "\n".join(lines) + "\n"


def line(key: str, value: Any, indent: int = 0, *, quoted: bool = False) -> str:
    """A key and its value; lists of mappings or expressions take one line per item below the key."""
    if quoted:
        return f"{' ' * indent}{yaml(key)}: {yaml(value, quoted=True)}"
    return f"{' ' * indent}{yaml(key)}:{behind_key(key, value, indent)}"


def behind_key(key: str, value: Any, indent: int) -> str:
    """The text after the colon of a key with this indentation."""
    if isinstance(value, list) and value and (key in EXPRESSIONS or all(isinstance(each, Mapping) for each in value)):
        return "".join(f"\n{' ' * indent}  - {yaml(each, quoted=key in EXPRESSIONS)}" for each in value)
    return f" {value_yaml(key, value)}"


def value_yaml(key: str, value: Any) -> str:
    """The value of a key on one line; a condition comes last and is quoted."""
    if key in EXPRESSIONS:
        return yaml(value, quoted=True)
    if isinstance(value, Mapping) and "when" in value:
        rest = yaml({name: each for name, each in value.items() if name != "when"})
        return f"{rest[:-1]}, when: {yaml(value['when'], quoted=True)}}}"
    return yaml(value)
