"""Edits the text of a spec in place: comments, order and layout stay, and only the bytes of the changed values change.

ruamel's nodes tell where each value starts and ends, and the text is cut there. ruamel's own round trip would reformat
the file, and removing a key would remove the comment above the next key. Callers must read the edited text again and
compare it with what they meant, because an alias can carry a change to another key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.spec.writing import behind_key, line
from orchestrator.yaml.reader import compose

Key = tuple[str, ...]
"""The path of a value: ("space", "lr")."""


class UneditableError(ValueError):
    """The text is not a block of keys, or a value is where a section should be."""


def edit(text: str, edits: Mapping[Key, Any], *, after: Mapping[Key, str]) -> str:
    """Set and remove many values, and return the new text.

    Args:
        text: The spec.
        edits: The new values by their paths; None removes the key.
        after: As for :func:`set_value`, by path.

    Raises:
        KeyError: There is no such key to remove.
        NotYamlError, UneditableError: As for :func:`set_value`.
    """
    document = compose(text)
    cuts = {path: None if value is None else _cut(text, document, path, value) for path, value in edits.items()}
    for start, end, written in sorted((cut for cut in cuts.values() if cut is not None), reverse=True):
        text = text[:start] + written + text[end:]
    alone = {path: edits[path] for path, cut in cuts.items() if cut is None}
    for path, value in alone.items():
        if value is not None:
            text = set_value(text, path, value, after=after.get(path))
    for path, value in alone.items():
        if value is None:
            text = remove_key(text, path)
    return text


def _cut(text: str, document: Any, path: Key, value: Any) -> tuple[int, int, str] | None:
    """Start, end and replacement of a value that is there and can be replaced whatever else is edited; else None."""
    path = _as_written(document, path)
    section = _mapping(document, path[:-1])
    entry = None if section is None else _entry(section, path[-1])
    if entry is None or (section.flow_style and "\n" in line(path[-1], value)):
        return None
    key = entry[0]
    return key.end_mark.index, _end(text, entry), f":{behind_key(path[-1], value, key.start_mark.column)}"


def set_value(text: str, path: Key, value: Any, *, after: str | None = None) -> str:
    """Set a value, and return the new text.

    Args:
        text: The spec.
        path: The path of the value. Missing sections are created.
        value: The new value: anything that JSON can hold.
        after: The key after which a new key is inserted; "" inserts it first, None last.

    Raises:
        NotYamlError: The text is not YAML.
        UneditableError: The text is not a block of keys, or a value is where a section should be.
    """
    document = compose(text)
    path = _as_written(document, path)
    section = _mapping(document, path[:-1])
    if section is None:
        return set_value(text, path[:-1], {path[-1]: value})
    if section.flow_style and "\n" in line(path[-1], value):
        return set_value(_unfolded(text, path[:-1]), path, value)
    if (cut := _cut(text, document, path, value)) is not None:
        start, end, written = cut
        return text[:start] + written + text[end:]
    if section.flow_style:
        at = _end(text, section.value[-1])
        return f"{text[:at]}, {line(path[-1], value)}{text[at:]}"
    if after == "":
        at = _line_start(text, section.value[0][0].start_mark.index)
        return f"{text[:at]}{line(path[-1], value, _column(section))}\n{text[at:]}"
    neighbour = (_entry(section, after) if after else None) or section.value[-1]
    at = _line_end(text, _end(text, neighbour))
    return text[:at] + "\n" + line(path[-1], value, _column(section)) + text[at:]


def remove_key(text: str, path: Key) -> str:
    """Remove a key with its lines, and its section if that becomes empty; return the new text.

    Raises:
        KeyError: There is no such key.
        NotYamlError, UneditableError: As for ``put``.
    """
    document = compose(text)
    path = _as_written(document, path)
    section = _mapping(document, path[:-1])
    entry = None if section is None else _entry(section, path[-1])
    if section is None or entry is None:
        raise KeyError(path)
    if len(section.value) == 1 and len(path) > 1:
        return remove_key(text, path[:-1])
    place = section.value.index(entry)
    if not section.flow_style:
        start, end = _line_start(text, entry[0].start_mark.index), _line_end(text, _end(text, entry))
        return text[:start] + text[end + 1 :]
    if place:
        return text[: _end(text, section.value[place - 1])] + text[_end(text, entry) :]
    return text[: entry[0].start_mark.index] + text[section.value[1][0].start_mark.index :]


def add_comments(text: str, remarks: Sequence[tuple[Key, str]]) -> str:
    """Append comments to the lines of keys, after existing ones; return the new text.

    Args:
        text: The spec.
        remarks: The paths of keys, and what is said of each.

    Raises:
        KeyError: There is no such key.
        NotYamlError, UneditableError: As for ``put``.
    """
    document = compose(text)
    commented = {_line_end(text, at) for at in comments(text)}
    added: dict[int, list[str]] = {}
    for key, words in remarks:
        path = _as_written(document, key)
        section = _mapping(document, path[:-1])
        entry = None if section is None else _entry(section, path[-1])
        if entry is None:
            raise KeyError(key)
        added.setdefault(_line_end(text, entry[0].start_mark.index), []).append(" ".join(words.split()))
    for end in sorted(added, reverse=True):
        text = text[:end].rstrip() + ("; " if end in commented else "  # ") + "; ".join(added[end]) + text[end:]
    return text


def comments(text: str) -> Iterator[int]:
    """The offsets of comments: of each "#" at the start of a line or after a space that is not part of a value."""
    values = [(node.start_mark.index, node.end_mark.index) for node in _scalars(compose(text))]
    end = -1
    for at, letter in enumerate(text):
        if letter == "#" and at > end and (at == 0 or text[at - 1] in " \t\n") and not _inside(at, values):
            end = _line_end(text, at)
            yield at


def _inside(at: int, values: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in values)


def _scalars(node: Any) -> Iterator[Any]:
    if node is None or node.id == "scalar":
        yield from () if node is None else (node,)
        return
    for each in node.value:
        for inner in each if node.id == "mapping" else (each,):
            yield from _scalars(inner)


def _mapping(node: Any, path: Key) -> Any:
    """The node of a section of a document; None if the section is missing or empty."""
    if node is None or node.id != "mapping" or node.flow_style or not node.value:
        raise UneditableError("not a block of keys")
    for name in path:
        entry = _entry(node, name)
        if entry is None or _is_empty(entry[1]):
            return None
        node = entry[1]
        if node.id != "mapping":
            raise UneditableError(f"{name} is not a section")
    return node if node.value else None


def _as_written(node: Any, path: Key) -> Key:
    """The path of a value whose names have dots, as the text has it: nested, with dots, or some of both.

    What the text lacks goes into the innermost group that it has.
    """
    written: Key = ()
    for each in path:
        parts = each.split(".")
        while parts:
            entries = node.value if node is not None and node.id == "mapping" else ()
            known = {key.value: value for key, value in entries}
            lengths = range(len(parts), 0, -1)
            taken = next((length for length in lengths if ".".join(parts[:length]) in known), len(parts))
            name = ".".join(parts[:taken])
            written, parts, node = (*written, name), parts[taken:], known.get(name)
    return written


def _entry(section: Any, name: str) -> tuple[Any, Any] | None:
    return next(((key, value) for key, value in section.value if key.value == name), None)


def _is_empty(node: Any) -> bool:
    return bool(node.start_mark.index == node.end_mark.index)


def _end(text: str, entry: tuple[Any, Any]) -> int:
    """The offset at which the value of an entry ends, before any comments and empty lines."""
    key, node = entry
    if _is_empty(node):
        return text.index(":", key.end_mark.index) + 1
    while node.id != "scalar" and not node.flow_style:
        inner = node.value[-1]
        if node.id == "mapping":
            return _end(text, inner)
        node = inner
    start: int = node.start_mark.index
    return start + len(text[start : node.end_mark.index].rstrip())


def _unfolded(text: str, path: Key) -> str:
    """Turn a section in braces into a block of lines; its entries keep their text."""
    key, section = _entry(_mapping(compose(text), path[:-1]), path[-1]) or (None, None)
    if key is None or section is None or key.start_mark.column:
        raise UneditableError(f"{path[-1]} is not a top-level section")
    lines = [text[each[0].start_mark.index : _end(text, each)] for each in section.value]
    end = section.end_mark.index
    behind = text[end : _line_end(text, end)]  # a comment
    return (
        f"{text[: key.end_mark.index]}:{behind.rstrip()}\n"
        + "\n".join(f"  {each}" for each in lines)
        + text[end + len(behind) :]
    )


def _column(section: Any) -> int:
    column: int = section.value[0][0].start_mark.column
    return column


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
