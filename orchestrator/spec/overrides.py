"""``--set budget.trials=20``: changes to a spec from the command line, which mistakes then point to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator.errors import Place
from orchestrator.formatting import shown
from orchestrator.yaml.document import MAX_DEPTH, Document, Path, dotted
from orchestrator.yaml.reader import NotYamlError, read_value


class _OverrideError(ValueError):
    """An override is malformed, or its path leads into a value without keys."""

    def __init__(self, path: Path, problem: str, allowed: str = "") -> None:
        self.path = path
        self.problem = problem
        self.allowed = allowed
        super().__init__(problem)


def apply_overrides(document: Document, overrides: Iterable[str]) -> None:
    """Apply each ``a.b.c=YAML`` in turn. Missing sections are created; null removes a value."""
    for override in overrides:
        name, equals, text = override.partition("=")
        parts = [part.strip() for part in name.split(".")]
        place = Place(option="--set", argument=name.strip() if equals else override)
        try:
            if not equals or not all(parts) or len(parts) > MAX_DEPTH:
                raise _OverrideError((), "expected KEY=VALUE", "as in --set budget.trials=20")
            container, path = _container(document, parts, place)
            document.replace(path, place)
            container[path[-1]] = read_value(document, path, text)
            _replace_group(container, path[-1])
        except _OverrideError as error:
            document.add_at(place, error.path, error.problem, error.allowed)
        except NotYamlError as error:
            document.add_at(place, (), error.problem, error.allowed)


def _container(document: Document, parts: Sequence[str], place: Place) -> tuple[Any, Path]:
    """The mapping or list that holds the last part, created if missing, and the whole path."""
    inner: Any = document.data
    path: Path = ()
    left = list(parts)
    while left:
        if path:
            if isinstance(inner, dict) and inner.get(path[-1]) is None:
                inner[path[-1]] = {}
                document.places[path] = place
            inner = inner[path[-1]]
        key, taken = _key(inner, path, left)
        path, left = (*path, key), left[taken:]
    return inner, path


def _key(container: Any, path: Path, parts: Sequence[str]) -> tuple[str | int, int]:
    """The key that the next parts mean, and how many of them it takes: several, where the key itself has dots."""
    if isinstance(container, dict):
        lengths = range(len(parts), 1, -1)
        taken = next((length for length in lengths if ".".join(parts[:length]) in container), 1)
        return ".".join(parts[:taken]), taken
    part = parts[0]
    if not isinstance(container, list):
        raise _OverrideError(path, f"{shown(container)} has no keys", f"set {dotted(path)} itself")
    if not part.isdecimal() or int(part) >= len(container):
        allowed = f"{dotted(path)}.0 to {dotted(path)}.{len(container) - 1}" if container else ""
        raise _OverrideError(path, f"the list has no item {part!r}", allowed)
    return int(part), 1


def _replace_group(container: Any, key: str | int) -> None:
    """Remove what is written with dots of a group that has been set as a whole."""
    if isinstance(container, dict):
        for each in [each for each in container if each.startswith(f"{key}.")]:
            del container[each]
