"""A spec without its malformed parts, so that the well-formed parts are checked even if others are broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from orchestrator.spec.model import Spec
from orchestrator.spec.validation_messages import SECTIONS, add_validation_errors
from orchestrator.yaml.document import Document, Path

_PLACEHOLDERS: Mapping[str, Any] = {"objective": {"metric": "unknown"}}


@dataclass(frozen=True, kw_only=True)
class PartialSpec:
    """A spec without its broken parts, and the paths of these parts."""

    spec: Spec
    document: Document
    broken: frozenset[Path]
    base: FilePath

    def is_valid(self, *path: str) -> bool:
        """Whether nothing at, below or above the path is broken."""
        return all(each[: len(path)] != path and path[: len(each)] != each for each in self.broken)

    @property
    def trained_by(self) -> str:
        """The key that says what is trained."""
        return "command" if "command" in self.document.data else "trainable"

    @property
    def names_trainable(self) -> bool:
        """Whether what is trained is known: by one key, in which nothing is broken."""
        given = [key for key in ("trainable", "command") if key in self.document.data]
        return len(given) == 1 and all(map(self.is_valid, (*given, "env", "output", "template", "resume")))

    def fixed_names(self) -> tuple[str, ...]:
        """The names in fixed, broken ones included."""
        return _keys(self.document.data.get("fixed"))

    def derived_names(self) -> tuple[str, ...]:
        """The names of derived values, broken ones included."""
        return _keys(self.document.data.get("derived"))

    def searched_names(self) -> tuple[str, ...]:
        """The names in the space, broken ones included; without a space, those in the configurations."""
        return _keys(self.document.data.get("space")) or tuple(self.spec.distributions())

    def searched_path(self, name: str) -> Path:
        """Where a searched name is written."""
        return ("space", name) if name in _keys(self.document.data.get("space")) else ("search", "configs")


def without_mistakes(document: Document, base: FilePath) -> PartialSpec:
    """Add every structural mistake to the document, and return the rest. A section without a value counts as absent."""
    document.data = {key: value for key, value in document.data.items() if value is not None}
    if not {"trainable", "command"} & document.data.keys():
        allowed = "as in trainable: tabular, or command: python train.py --lr {lr}"
        document.add(("trainable",), "trainable is missing", allowed)
    data = dict(document.data)
    broken: list[Path] = []
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        broken = add_validation_errors(document, error)
        for path in broken:
            _leave_out(data, path)
        spec = Spec.model_validate({**_PLACEHOLDERS, **data})
    return PartialSpec(spec=spec, document=document, broken=frozenset(broken), base=base)


def _leave_out(data: dict[str, Any], path: Path) -> None:
    """Remove the smallest part around a path without which the rest is well-formed."""
    if path[0] not in data:
        return
    match path:
        case ("space" | "fixed" | "derived" as section, str(name), *_):
            data[section] = {key: value for key, value in data[section].items() if key != name}
        case ("constraints", int(index), *_):  # replaced, so that the others keep their numbers
            data["constraints"] = [*data["constraints"][:index], "True", *data["constraints"][index + 1 :]]
        case (str(section), str(key), *_) if section in SECTIONS and not _is_required(section, key):
            data[section] = {each: value for each, value in data[section].items() if each != key}
        case (section, *_):
            data.pop(str(section), None)


def _is_required(section: str, key: str) -> bool:
    field = SECTIONS[section].model_fields.get(key)
    return field is not None and field.is_required()


def _keys(section: Any) -> tuple[str, ...]:
    return tuple(section) if isinstance(section, dict) else ()
