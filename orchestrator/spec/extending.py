"""``extends: base.yaml``: a spec on top of another. What a file says replaces what it extends says, key by key.

Parameters are replaced as a whole, wherever the other file has them; lists are replaced; other mappings are merged.
Places stay those of the file in which each value is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import SpecError
from orchestrator.spec.nested_names import flatten_names
from orchestrator.spec.relative_paths import moved_paths
from orchestrator.yaml.document import Document
from orchestrator.yaml.reader import from_yaml

KEY = "extends"
NAMED = ("space", "fixed", "derived")
"""Sections of parameters: a name is in one of them."""

_INSTEAD = {"trainable": "command", "command": "trainable"}
_OWN = ("name", "parent")
"""Keys that are not taken from the file that is extended."""


def composed(
    document: Document, directory: Path, read: Callable[[Path], str], within: tuple[Path, ...] = ()
) -> Document:
    """A document with all that it extends.

    Args:
        document: The document; its mistakes are kept.
        directory: From which its paths start.
        read: Returns the text of a file, or raises SpecError.
        within: The files that extend each other to get here.

    Raises:
        SpecError: A file that is extended cannot be read, is not YAML, or extends this one.
    """
    if KEY not in document.data:
        return document
    flatten_names(document)
    name = document.data.pop(KEY)
    file = directory / name if isinstance(name, str) else directory
    text = _text(document, file, str(name), read, within) if isinstance(name, str) and name else ""
    if not text:
        document.add((KEY,), "extends names no spec", "the path of a file, relative to this one")
        document.raise_mistakes()
    base = from_yaml(text, str(file))
    if not base.data:
        base.raise_mistakes()
    base = composed(base, file.parent, read, (*within, file))
    flatten_names(base)
    for (*sections, key), value, _ in list(moved_paths(base.data, file.parent.resolve(), directory.resolve())):
        section: Any = base.data
        for each in sections:
            section = section[each]
        section[key] = value
    return Document(
        data=_merged(base.data, document.data),
        places=base.places | document.places,
        mistakes=base.mistakes | document.mistakes,
    )


def _text(document: Document, file: Path, name: str, read: Callable[[Path], str], within: tuple[Path, ...]) -> str:
    if any(file.resolve() == each.resolve() for each in within):
        circle = " → ".join(each.name for each in (*within, file))
        document.add((KEY,), f"the specs extend each other in a circle: {circle}", "leave extends out of one of them")
        document.raise_mistakes()
    try:
        return read(file)
    except SpecError as error:
        problem = error.mistakes[0].problem
        document.add((KEY,), f"{name} {problem}", error.mistakes[0].allowed)
        document.raise_mistakes()
        raise


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    given = {name for section in NAMED if isinstance(own.get(section), dict) for name in own[section]}
    merged: dict[str, Any] = {}
    for key, value in base.items():
        if key in _OWN or _INSTEAD.get(key) in own:
            continue
        if key in NAMED and isinstance(value, dict):
            here = own[key] if isinstance(own.get(key), dict) else {}
            value = {name: each for name, each in value.items() if name not in given or name in here}
        merged[key] = value
    for key, value in own.items():
        merged[key] = _over(merged.get(key), value, whole=key in NAMED)
    if isinstance(space := merged.get("space"), dict):  # null: not searched any more
        merged["space"] = {name: each for name, each in space.items() if each is not None}
    return merged


def _over(base: Any, own: Any, *, whole: bool = False) -> Any:
    """A value over that of the file that is extended: mappings are merged."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return base | {key: value if whole else _over(base.get(key), value) for key, value in own.items()}
