"""Renders the next spec as text: the user's own text with the changes edited in and their reasons as comments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.analysis.next_spec.spec_change import Key, PlainSpec, SpecChange
from orchestrator.errors import SpecError
from orchestrator.space.distributions import SETTINGS
from orchestrator.spec.editing import UneditableError, add_comments, comments, edit
from orchestrator.spec.model import Spec
from orchestrator.spec.nested_names import flatten_names
from orchestrator.spec.reading import parse_spec
from orchestrator.spec.writing import spec_yaml
from orchestrator.yaml.document import Document
from orchestrator.yaml.reader import NotYamlError, from_yaml

MARK = "# sweep next: "
"""The start of comment lines that `sweep next` writes at the head of a spec."""

_AFTER: Mapping[Key, str] = {("name",): "", ("parent",): "name"}
"""The key after which a new key is placed ("" means first); other new keys are appended."""

_OURS = re.compile(r"(?:^#|;) was .*$")


def render_spec(text: str, plain: PlainSpec, changes: Sequence[SpecChange], *, head: str, base: Path) -> str:
    """Render the spec as YAML text.

    Args:
        text: The previous spec as the user wrote it; if it cannot be edited, the spec is written from scratch.
        plain: The content of the new spec.
        changes: The changes and their reasons.
        head: A comment for the head of the file.
        base: The directory that relative paths in the text refer to.
    """
    try:
        written = _edited(text, plain, changes, base)
        if _meant(written, base) != plain:
            raise UneditableError("the edits changed more than intended")
    except (SpecError, NotYamlError, UneditableError, KeyError):
        written = _with_reasons(spec_yaml(Spec.model_validate(plain)), changes)
    gone = [change.reason for change in changes if change.at is None]
    return "".join(f"{MARK}{' '.join(line.split())}\n" for line in (head, *gone)) + written


def _edited(text: str, plain: PlainSpec, changes: Sequence[SpecChange], base: Path) -> str:
    before = _meant(text, base)
    text = _without_ours(text) if "parent" in before else text
    return _with_reasons(edit(text, dict(_changes(before, plain)), after=_AFTER), changes)


def _meant(text: str, base: Path) -> PlainSpec:
    """The content of a spec text, with defaults filled in.

    Raises:
        SpecError: The spec has mistakes.
    """
    document: Document = from_yaml(text, "spec")
    document.raise_mistakes()
    return parse_spec(document.data, base=base).to_plain()


def _changes(before: PlainSpec, after: PlainSpec) -> Iterator[tuple[Key, Any]]:
    """The keys to set or, if the value is None, to remove, as deep as the text allows."""
    for key in {**after, **before}:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changes_within((key,), old, new)
        else:
            yield (key,), new or None


def _changes_within(key: Key, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
    for name in {**new, **old}:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        inner = _inner(before, after) if key == ("space",) else None
        if after is None or inner is None:
            yield (*key, name), after
        else:
            yield (*key, name, inner), after[inner]


def _inner(before: Any, after: Any) -> str | None:
    """The only key in which two distributions differ; None if they differ in several."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping) or before.keys() != after.keys():
        return None
    differing = [key for key in before if before[key] != after[key]]
    return differing[0] if len(differing) == 1 else None


def _with_reasons(text: str, changes: Sequence[SpecChange]) -> str:
    """Add each reason as a comment, next to the value if that has a line of its own."""
    document = from_yaml(text, "spec")
    flatten_names(document)
    space = document.data["space"]
    return add_comments(text, [(_with_form(space, each.at), each.reason) for each in changes if each.at is not None])


def _with_form(space: Mapping[str, Any], key: Key) -> Key:
    """The key of a distribution with that of its form, such as ``uniform``."""
    if key[0] != "space":
        return key
    forms = (name for name in space[key[1]] if name not in SETTINGS)
    return (*key, *itertools.islice(forms, 1))


def _without_ours(text: str) -> str:
    """The text without the comments of an earlier `sweep next`."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(MARK)]
    text = "".join(lines)
    for at in sorted(comments(text), reverse=True):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        kept = _OURS.sub("", text[at:end])
        if kept != text[at:end]:
            text = (text[:at] + kept).rstrip(" ") + text[end:]
    return text
