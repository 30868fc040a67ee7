"""Writes a configuration as JSON, YAML or TOML, for programs that read a file a run.

Texts are always in double quotes, and a float always has a point, so that readers of YAML 1.1 and 1.2 agree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[A-Za-z_][A-Za-z0-9_]*", re.IGNORECASE)
"""Names that need no quotes; the others are words of YAML 1.1."""


def as_json(config: Mapping[str, Any]) -> str:
    """A configuration as JSON."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def as_yaml(config: Mapping[str, Any]) -> str:
    """A configuration as YAML."""
    return "".join(f"{line}\n" for line in _yaml_lines(config)) or "{}\n"


def as_toml(config: Mapping[str, Any]) -> str:
    """A configuration as TOML, which has no null: such values are left out."""
    return "".join(f"{line}\n" for line in _toml_lines(config, ()))


FORMATS = {"config.json": as_json, "config.yaml": as_yaml, "config.toml": as_toml}
"""The files that a command may ask for, by their placeholders."""


def _yaml_lines(config: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_key(name)}:"
            yield from _yaml_lines(value, f"{indent}  ")
        else:
            yield f"{indent}{_key(name)}: {_flow(value, ': ', 'null')}"


def _toml_lines(config: Mapping[str, Any], table: tuple[str, ...]) -> Iterator[str]:
    values = {name: value for name, value in config.items() if value is not None}
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    for name, value in values.items():
        if name not in tables:
            yield f"{_key(name)} = {_flow(value, ' = ', '')}"
    for name, value in tables.items():
        yield f"[{'.'.join(map(_key, (*table, name)))}]"
        yield from _toml_lines(value, (*table, name))


def _flow(value: Any, colon: str, null: str) -> str:
    """A value in one line; what is null is written so, or left out."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        pairs = (
            f"{_text(name)}{colon}{_flow(each, colon, null)}" for name, each in value.items() if _there(each, null)
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(each, colon, null) for each in value if _there(each, null))}]"
    return null if value is None else json.dumps(value)


def _there(value: Any, null: str) -> bool:
    return value is not None or bool(null)


def _float(value: float) -> str:
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """In double quotes, with the escapes that JSON, YAML and TOML share."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", quoted)
