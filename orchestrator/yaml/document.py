"""A document as plain values, with the place of each value and the mistakes found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.errors import Mistake, Place, SpecError
from orchestrator.suggestions import Allowed
from orchestrator.yaml.python_values import as_yaml

Path = tuple[str | int, ...]
"""A path into nested mappings and lists: ("space", "lr", "uniform", 0)."""

NOT_TEXT = "not text: half of a surrogate pair, which no file can hold"
MAX_DEPTH = 20
"""Levels of nesting; a spec has five."""


@dataclass(kw_only=True)
class Document:
    """A spec before it is understood, and the mistakes found in it so far."""

    data: dict[str, Any]
    places: dict[Path, Place]
    mistakes: dict[Mistake, float] = field(default_factory=dict)  # with the line to sort by

    def place(self, path: Path) -> Place:
        """The place of a path, or of the nearest enclosing path that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        raise KeyError(path)  # the root always has a place

    def add(self, path: Path, problem: str, allowed: Allowed = "") -> None:
        """Add a mistake at a path."""
        self.add_at(self.place(path), path, problem, allowed)

    def add_at(self, place: Place, path: Path, problem: str, allowed: Allowed = "") -> None:
        """Add a mistake whose place is not that of its path."""
        value = self.value(path)
        mistake = Mistake(place=place, key=dotted(path), problem=problem, allowed=allowed, value=value)
        self.mistakes.setdefault(mistake, place.order)

    def value(self, path: Path) -> Any:
        """The value at a path; None if there is none, or if it is not read yet."""
        inner: Any = self.data
        for part in path:
            try:
                inner = inner[part]
            except (KeyError, IndexError, TypeError):
                return None
        return inner if path else None

    def replace(self, path: Path, place: Place) -> None:
        """Give everything at and below a path a new place, and mention it in the places of the values around it."""
        for old in [old for old in self.places if old[: len(path)] == path]:
            del self.places[old]
        self.places[path] = place
        for length in range(2, len(path)):
            around = self.place(path[:length])
            if place.option and not around.option:
                self.places[path[:length]] = replace(around, option=place.option, argument=place.argument)

    def raise_mistakes(self) -> None:
        """Raise all mistakes at once, in the order of their places, if there are any."""
        if self.mistakes:
            raise SpecError(sorted(self.mistakes, key=lambda mistake: self.mistakes[mistake]))


def dotted(path: Path) -> str:
    """A path as people write it: ``space.lr.uniform[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def is_text(value: Any) -> bool:
    """Whether this is text that UTF-8 can express, which has no lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def from_mapping(data: Mapping[str, Any]) -> Document:
    """A document from a Python mapping; values of numpy, torch and pandas become Python's own."""
    document = Document(data={}, places={(): Place(file="spec")})
    read = _read(document, (), data)
    document.data = read if isinstance(read, dict) else {}
    return document


def _read(document: Document, path: Path, value: Any) -> Any:
    if len(path) > MAX_DEPTH:
        document.add(path[:2], "nested too deeply", f"at most {MAX_DEPTH} levels")
        return None
    value = as_yaml(value)
    if isinstance(value, Mapping):
        for key in value:
            if not is_text(key):
                document.add(path, f"the key {key!r} is not text")
        named = [(str.__str__(key), each) for key, each in value.items() if is_text(key)]
        return {key: _read(document, (*path, key), each) for key, each in named}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_read(document, (*path, index), each) for index, each in enumerate(value)]
    if isinstance(value, str) and not is_text(value):
        document.add(path, NOT_TEXT)
        return None
    return value
