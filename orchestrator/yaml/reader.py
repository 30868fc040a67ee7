"""YAML 1.2 into a :class:`Document`: every key and value with its line, everything unusual a mistake, nothing executed.

ruamel parses, and its tree of nodes is read here rather than its round-trip values with ``lc``: these stop at the first
key given twice, drop the tags of mappings and lists, turn an alias to itself into None, and read `no` as a switch and
dates as dates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Place
from orchestrator.formatting import shown
from orchestrator.yaml.document import MAX_DEPTH, NOT_TEXT, Document, Path, is_text
from orchestrator.yaml.quoting import is_expression, quoted, unquoted_expression

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

MAX_NODES = 100_000
"""Limit of values in a document with aliases expanded: a few lines of aliases can stand for billions of values."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value", "merge"})
_BOOLS = {"true": True, "false": False}


class NotYamlError(ValueError):
    """The text is not YAML; ``line`` and ``column`` count from 1."""

    def __init__(self, problem: str, *, allowed: str = "", line: int = 1, column: int | None = None) -> None:
        self.problem = f"not YAML: {problem}"
        self.allowed = allowed
        self.line = line
        self.column = column
        super().__init__(self.problem)


def from_yaml(text: str, name: str, *, option: bool = False, example: str = "trainable: tabular") -> Document:
    """Read a spec, or another document of keys and values.

    Mistakes are added to the document, which has no data after a syntax error.

    Args:
        text: The YAML.
        name: The file's name, or the option's.
        option: Whether the text is the value of an option.
        example: A valid line, for the mistake that there are no keys.
    """
    source = Place(option=name) if option else Place(file=name)
    document = Document(data={}, places={(): replace(source, line=1, order=1)})
    try:
        node = compose(text)
    except NotYamlError as error:
        document.places[()] = replace(source, line=error.line, column=error.column, order=error.line)
        document.add((), error.problem, error.allowed)
        return document
    data = None if node is None else _Reading(document, source).value(node, ())
    if isinstance(data, dict):
        document.data = data
    elif not document.mistakes:
        problem = "the document is empty" if data is None else "the document has no keys"
        document.add((), problem, f"keys and values, as in '{example}'")
    return document


def read_value(document: Document, path: Path, text: str) -> Any:
    """Read a single value, such as an override's; mistakes are added to the document at the path.

    Raises:
        NotYamlError: The text is not YAML.
    """
    node = compose(text)
    return None if node is None else _Reading(document, None).value(node, path)


def compose(text: str) -> Node | None:
    """The tree of nodes of a text; None if the text is empty.

    Raises:
        NotYamlError: The text is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise _syntax_error(error, text.splitlines()) from None
    except YAMLError as error:
        raise NotYamlError(str(error).partition("\n")[0]) from None
    except RecursionError:
        raise NotYamlError("nested too deeply", allowed=f"at most {MAX_DEPTH} levels") from None
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, AssertionError) as error:
        raise NotYamlError(str(error)) from None  # errors inside ruamel on unusual input
    return node


def _syntax_error(error: MarkedYAMLError, lines: list[str]) -> NotYamlError:
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
    for index in (each for mark in marks for each in (mark.line, mark.line - 1)):
        expression = unquoted_expression(lines, index)
        if expression is not None:
            return NotYamlError("an expression without quotes", allowed=f"write {expression}", line=index + 1)
    problem = str(error.problem or error.context).replace("character '\\t'", "a tab")
    line, column = (marks[0].line, marks[0].column + 1) if marks else (0, None)
    seen = f"in {shown(lines[line].strip())}" if line < len(lines) and lines[line].strip() else ""
    allowed = "indent with spaces" if "a tab" in problem else seen
    return NotYamlError(problem, allowed=allowed, line=line + 1, column=column)


class _Reading:
    """One walk over a tree. With a source, it also records all lines and checks that expressions are quoted."""

    def __init__(self, document: Document, source: Place | None) -> None:
        self._document = document
        self._source = source
        self._nodes = 0
        self._open: set[int] = set()  # nodes that contain the current one: an alias to one of them would never end

    def value(self, node: Any, path: Path) -> Any:
        self._note_place(node, path)
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH or id(node) in self._open:
            self._document.add(path[:1], "too large: aliases multiply, or nesting never ends")
            return None
        self._open.add(id(node))
        try:
            return self._read(node, path)
        finally:
            self._open.discard(id(node))

    def _read(self, node: Any, path: Path) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if node.id == "mapping" and kind == "map":
            return self._mapping(node, path)
        if node.id == "sequence" and kind == "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if node.id == "scalar" and kind in _SCALARS:
            if self._source is not None and kind == "str" and node.style is None and is_expression(path):
                self._document.add(path, "an expression without quotes", f"write {quoted(node.value, path)}")
            if not is_text(node.value):
                self._document.add(path, NOT_TEXT)
                return None
            return _scalar(kind, node)
        self._document.add(path, f"the tag {node.tag.replace(_TAG, '!!')!r} is not allowed", "plain values")
        return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged = {**self._merged(value_node, path), **merged}
                continue
            key = key_node.value if key_node.tag == _TAG + "str" else None
            if key is None or not is_text(key):
                self._document.add(path, f"the key {_short(key_node)} is not text", "a name, quoted if necessary")
                continue
            if key in own:
                place = self._place(key_node) or self._document.place(path)
                problem = f"given twice, first on line {first[key]}"
                self._document.add_at(place, (*path, key), problem, "each key once")
                continue
            own[key], first[key] = self.value(value_node, (*path, key)), key_node.start_mark.line + 1
            self._note_place(key_node, (*path, key))
        return {**merged, **own}

    def _merged(self, node: Any, path: Path) -> dict[str, Any]:
        """The values merged in by ``<<``; of several mappings, the first wins."""
        sources = node.value if node.id == "sequence" else [node]
        values: dict[str, Any] = {}
        for source in sources:
            value = self.value(source, path)
            if not isinstance(value, dict):
                self._document.add(path, "<< takes a mapping, or a list of them")
                continue
            values = {**value, **values}
        return values

    def _note_place(self, node: Node, path: Path) -> None:
        place = self._place(node)
        if place is not None:
            self._document.places[path] = place

    def _place(self, node: Node) -> Place | None:
        if self._source is None:
            return None
        mark = node.start_mark
        return replace(self._source, line=mark.line + 1, column=mark.column + 1, order=mark.line + 1)


def _scalar(kind: str, node: ScalarNode) -> Any:
    """The value of a scalar; its text if that does not fit the tag."""
    text: str = node.value
    number = text.replace("_", "").lower()
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return _BOOLS.get(number, text)
            case "int":
                return int(number, 0) if number.lstrip("+-").startswith(("0x", "0o", "0b")) else int(number)
            case "float":
                return float(number.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text
    return text


def _short(node: Node) -> str:
    return repr(node.value) if isinstance(node.value, str) else "in brackets"
