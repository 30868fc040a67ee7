"""Placeholders in a command, as ``{lr}`` and ``{optim.lr}``: which there are, and what replaces them.

Texts are expanded argument by argument, never by a shell. Only a name between braces is a placeholder, so JSON may
stand in an argument; ``${name}`` belongs to a shell or to OmegaConf, and ``{{name}}`` is the text ``{name}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLACEHOLDER = re.compile(r"(?<!\$)\{(\{)?([^\W\d]\w*(?:\.\w+)*)\}(?(1)\})")


def names_in(text: str) -> Iterator[str]:
    """The names of the placeholders in a text, in its order."""
    return (match[2] for match in _PLACEHOLDER.finditer(text) if not match[1])


def expand(text: str, values: Mapping[str, Any]) -> str:
    """The text with its placeholders replaced; one without a value, by nothing."""
    return _PLACEHOLDER.sub(lambda match: f"{{{match[2]}}}" if match[1] else written(values.get(match[2])), text)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text of a file with these values in place of their names; all other text stays, a missing value is null."""

    def value(match: re.Match[str]) -> str:
        if match[1] or match[2] not in values:
            return f"{{{match[2]}}}"
        return "null" if values[match[2]] is None else written(values[match[2]])

    return _PLACEHOLDER.sub(value, text)


def expand_arguments(arguments: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The arguments with their placeholders replaced.

    An argument with a placeholder that has no value is left out, and if it is nothing but the placeholder, so is the
    option before it: ``--momentum {momentum}``. An argument that is nothing but the placeholder of a list becomes an
    argument for each item.
    """
    made: list[str] = []
    for at, argument in enumerate(arguments):
        alone = _PLACEHOLDER.fullmatch(argument)
        name = alone[2] if alone is not None and not alone[1] else None
        if name is not None and isinstance(values.get(name), list):
            made += map(written, values[name])
        elif all(values.get(each) is not None for each in names_in(argument)):
            made.append(expand(argument, values))
        elif name is not None and made and _is_option(arguments[at - 1]):
            made.pop()
    return made


def _is_option(argument: str) -> bool:
    """Whether an argument is a literal option whose value is the next argument."""
    return re.fullmatch(r"--?[A-Za-z][\w.-]*", argument) is not None


def written(value: Any) -> str:
    """A value as an argument: text as it is, numbers as Python writes them, true and false and all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
