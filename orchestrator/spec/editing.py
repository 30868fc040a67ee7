"""Edits the text of a spec in place: comments, order and layout stay, and only the bytes of the changed values change.

ruamel's nodes tell where each value starts and ends, and the text is cut there. ruamel's own round trip would reformat
the file, and removing a key would remove the comment above the next key. Callers must read the edited text again and
compare it with what they meant, because an alias can carry a change to another key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.spec.writing import behind_key, line
from orchestrator.yaml.reader import compose

Key = tuple[str, ...]
"""The path of a value: ("space", "lr")."""


class UneditableError(ValueError):
    """The text is not a block of keys, or a value is where a section should be."""


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
    section = _mapping(text, path[:-1])
    if section is None:
        return set_value(text, path[:-1], {path[-1]: value})
    entry = _entry(section, path[-1])
    if section.flow_style and "\n" in line(path[-1], value):
        return set_value(_unfolded(text, path[:-1]), path, value)
    if entry is not None:
        key = entry[0]
        written = behind_key(path[-1], value, key.start_mark.column)
        return f"{text[: key.end_mark.index]}:{written}{text[_end(text, entry) :]}"
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
    section = _mapping(text, path[:-1])
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


def add_comment(text: str, path: Key, words: str) -> str:
    """Append a comment to the line of a key, after an existing comment; return the new text.

    Raises:
        KeyError: There is no such key.
        NotYamlError, UneditableError: As for ``put``.
    """
    section = _mapping(text, path[:-1])
    entry = None if section is None else _entry(section, path[-1])
    if entry is None:
        raise KeyError(path)
    start = _line_start(text, entry[0].start_mark.index)
    end = _line_end(text, start)
    commented = any(start <= at < end for at in comments(text))
    return text[:end].rstrip() + ("; " if commented else "  # ") + " ".join(words.split()) + text[end:]


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


def _mapping(text: str, path: Key) -> Any:
    """The node of a section; None if the section is missing or empty."""
    node: Any = compose(text)
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
    key, section = _entry(_mapping(text, path[:-1]), path[-1]) or (None, None)
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
