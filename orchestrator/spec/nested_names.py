"""Nested parameters get dotted names: ``optim: {lr: …}`` becomes ``optim.lr: …``, and its lines go with it.

Whatever follows the reading of a spec, the records included, knows dotted names only. The trainable gets them nested:
``trainables.configuration.nested``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from orchestrator.space.distributions import is_group
from orchestrator.space.names import groups_of, wrong_name
from orchestrator.yaml.document import Document, Path

_Keys = tuple[str, ...]
"""Where a value is written in its section: ("optim", "lr")."""


def flatten_names(document: Document) -> None:
    """Give the parameters in ``space``, ``fixed``, ``derived``, and the configurations in ``search`` dotted names.

    A name that is given twice, and one that is a value and a group at once, are added to the document's mistakes.
    """
    flattening = _Flattening(document)
    data = document.data
    if isinstance(space := data.get("space"), dict):
        data["space"] = flattening.named(("space",), _distributions(space))
    for section in ("fixed", "derived"):
        if isinstance(data.get(section), dict):
            data[section] = flattening.named((section,), _values(data[section]))
    if isinstance(search := data.get("search"), dict):
        searched = data["space"] if isinstance(data.get("space"), dict) else {}
        lists = {key: search[key] for key in ("start", "configs") if isinstance(search.get(key), list)}
        data["search"] = search | {
            key: [flattening.config(("search", key, at), each, searched) for at, each in enumerate(configs)]
            for key, configs in lists.items()
        }
    flattening.finish()


def flat(config: Mapping[str, Any], whole: Collection[str] = ()) -> dict[str, Any]:
    """A configuration with dotted names, whether it was nested or not.

    Args:
        config: The configuration, as somebody has written it.
        whole: Parameters whose values may be mappings.
    """
    return {".".join(keys): value for keys, value in _values(config, whole)}


def _distributions(space: Mapping[str, Any], within: _Keys = ()) -> Iterator[tuple[_Keys, Any]]:
    """The distributions in a group of parameters."""
    for name, value in space.items():
        if is_group(value):
            yield from _distributions(value, (*within, name))
        else:
            yield (*within, name), value


def _values(config: Mapping[str, Any], whole: Collection[str] = (), within: _Keys = ()) -> Iterator[tuple[_Keys, Any]]:
    """The values in a configuration. A mapping of which a key is no name is a value itself."""
    for name, value in config.items():
        keys = (*within, name)
        is_inner = isinstance(value, Mapping) and value and not any(map(_is_no_name, value))
        if is_inner and not (whole and ".".join(keys) in whole):
            yield from _values(value, whole, keys)
        else:
            yield keys, value


def _is_no_name(key: object) -> bool:
    return not isinstance(key, str) or wrong_name(key) is not None


class _Flattening:
    """One walk through a document: the names found so far, and which values have moved."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._moved: dict[Path, Path] = {}
        self._names: dict[str, Path] = {}  # of values that every trial, or some trial, has

    def named(self, section: Path, found: Iterable[tuple[_Keys, Any]]) -> dict[str, Any]:
        """A section with dotted names."""
        flattened: dict[str, Any] = {}
        for keys, value in found:
            name, written = ".".join(keys), (*section, *keys)
            if name in flattened:
                self._document.add(written, f"{name} is given twice", "once, nested or with dots")
            elif section == ("space",) and len(keys) > 1 and keys[-1] == "when" and isinstance(value, str):
                problem = f"{'.'.join(keys[:-1])} is a group of parameters, which takes no condition"
                self._document.add(written, problem, "when: in each of its distributions")
            else:
                flattened[name] = value
                self._names.setdefault(name, (*section, name))
                if len(keys) > 1:
                    self._moved[written] = (*section, name)
        return flattened

    def config(self, path: Path, config: Any, searched: Collection[str]) -> Any:
        """A configuration of the user with dotted names; what is none is left as it is."""
        if not isinstance(config, dict):
            return config
        names = self._names
        self._names = names if not searched else {}  # those that the space lacks are mistakes of their own
        flattened = self.named(path, _values(config, searched))
        self._names = names
        return flattened

    def finish(self) -> None:
        """Check that no name is a group as well, and move the places of what has moved."""
        for name, path in self._names.items():
            group = next((each for each in groups_of(name) if each in self._names), None)
            if group is not None:
                problem = f"{group} is a value in {_section(self._names[group])}, so it cannot contain {name}"
                self._document.add(path, problem, "another name, or a group in both places")
        if self._moved:
            places = self._document.places
            for path, place in list(places.items()):
                ends = (end for end in range(len(path), 1, -1) if path[:end] in self._moved)
                if (end := next(ends, None)) is not None:
                    places[(*self._moved[path[:end]], *path[end:])] = place


def _section(path: Path) -> str:
    return str(path[0]) if path[0] != "search" else f"search.{path[1]}"
