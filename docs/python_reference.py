"""Writes docs/reference/python.md: the public names of Python, from their signatures and docstrings."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import orchestrator
from orchestrator import errors
from orchestrator.analysis.report.figure import Figure
from orchestrator.api.answers import BestTrial, DiagnosisAnswer, ImportanceAnswer
from trainables.contract import TrainableClass
from trainables.trial import TrialEnded

SECTIONS = ("Args", "Attributes", "Returns", "Raises")
ENTRY = re.compile(r"    (\*{0,2}[A-Za-z_][\w, ]*): (.*)")


def page() -> str:
    """The whole page."""
    parts = [
        "# Python",
        "`orchestrator.run` runs a sweep, `orchestrator.confirm` repeats its best, `orchestrator.load` opens a"
        " recorded one, `orchestrator.simulate_sweep` plays one on known learning curves, and `Trial` is what a"
        " trainable is called with. A training program imports none of them; tests and annotations do.",
        "## Run, read, simulate",
        *_function("orchestrator.run", orchestrator.run),
        *_function("orchestrator.confirm", orchestrator.confirm),
        *_function("orchestrator.load", orchestrator.load),
        *_function("orchestrator.simulate_sweep", orchestrator.simulate_sweep),
        *_class("orchestrator.Sweep", orchestrator.Sweep),
        *_class("BestTrial", BestTrial),
        *_class("ImportanceAnswer", ImportanceAnswer),
        *_class("DiagnosisAnswer", DiagnosisAnswer),
        *_class("Figure", Figure),
        "## Trainables",
        "A trainable is a function `train(config, trial)` or a class. [trainables.md](../trainables.md) has examples.",
        *_class("orchestrator.Trial", orchestrator.Trial, constructor=True),
        *_class("The class form", TrainableClass, constructor=True),
        *_function("orchestrator.declare", orchestrator.declare),
        *_class("orchestrator.Hyperparameter", orchestrator.Hyperparameter),
        *_class("orchestrator.contract.TrialEnded", TrialEnded),
        "## Errors",
        "All are in `orchestrator.errors`. The text of an error is a sentence for the user. An indented error is a kind"
        " of the one above it. Programs tell errors apart by their code; the command line ends with the exit code.",
        "\n".join(_errors(errors.SweepError, 0)),
    ]
    return "\n\n".join(parts) + "\n"


def _function(name: str, function: Callable[..., Any]) -> list[str]:
    return [f"### `{name}`", _signature(name.rpartition(".")[2], function), *_described(function)]


def _class(name: str, kind: type, *, constructor: bool = False) -> list[str]:
    parts = [f"### {name}" if "form" in name else f"### `{name}`", *_described(kind)]
    members = [(each, member) for each, member in _members(kind) if each not in _documented(kind)]
    if constructor:
        short = name.rpartition(".")[2] if "form" not in name else "YourTrainable"
        parts += [_signature(short, kind.__init__), *_described(kind.__init__)]  # type: ignore[misc]
    for each, member in members:
        if isinstance(member, property | cached_property):
            getter = member.fget if isinstance(member, property) else member.func
            parts += [f"#### `.{each}`: `{_annotation(getter, 'return')}`", *_described(getter)]
        else:
            parts += [f"#### `.{each}`", _signature(f".{each}", member), *_described(member)]
    return parts


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """The public members in the order of the source, of the class itself."""
    for name, member in vars(kind).items():
        shown = isinstance(member, property | cached_property) or inspect.isfunction(member)
        if shown and not name.startswith("_"):
            yield name, member


def _documented(kind: type) -> set[str]:
    """The members that the docstring lists as attributes."""
    _, sections = _parsed(inspect.getdoc(kind) or "")
    return set(sections.get("Attributes", {}))


def _signature(name: str, function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    bare = [each.replace(annotation=each.empty) for each in parameters]
    text = f"{name}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
    return f"```text\n{textwrap.fill(text, 100, subsequent_indent='    ', break_on_hyphens=False)}\n```"


def _described(documented: Any) -> list[str]:
    """The prose of a docstring, and its sections as tables and lists."""
    prose, sections = _parsed(inspect.getdoc(documented) or "")
    parts = [prose] if prose else []
    for section, entries in sections.items():
        if section in ("Args", "Attributes"):
            rows = [f"| `{name}` | {_type_of(documented, name)} | {text} |" for name, text in entries.items()]
            head = "argument" if section == "Args" else "attribute"
            parts.append("\n".join([f"| {head} | type | |", "|---|---|---|", *rows]))
        elif section == "Returns":
            parts.append(f"Returns: {entries['']}")
        else:
            parts.append("Raises:\n\n" + "\n".join(f"- `{name}`: {text}" for name, text in entries.items()))
    return [_code(each) for each in parts]


def _type_of(documented: Any, name: str) -> str:
    """The annotation of an argument or attribute, as code in a table."""
    bare = name.lstrip("*")
    found = _annotation(documented, bare)
    if not found and isinstance(documented, type):
        for kind in documented.__mro__:
            member = vars(kind).get(bare)
            if isinstance(member, property | cached_property):
                found = _annotation(member.fget if isinstance(member, property) else member.func, "return")
            found = found or _annotation(kind, bare) or _of_init(kind, bare)
            if found:
                break
    return f"`{found}`".replace("|", "\\|") if found else ""


def _annotation(documented: Any, name: str) -> str:
    text = str(getattr(documented, "__annotations__", {}).get(name, ""))
    return text.replace("pd.DataFrame", "pandas.DataFrame")


def _of_init(kind: type, name: str) -> str:
    """What ``__init__`` says of the argument, or of the assignment, that an attribute comes from."""
    init = vars(kind).get("__init__")
    if not inspect.isfunction(init):
        return ""
    assigned = re.search(rf"self\.{name}: ([^=]+) =", inspect.getsource(init))
    return _annotation(init, name) or (assigned[1] if assigned else "")


def _parsed(docstring: str) -> tuple[str, Mapping[str, dict[str, str]]]:
    """The prose, and the entries of each section: a name and its text; Returns has one, without a name."""
    prose: list[str] = []
    sections: dict[str, dict[str, str]] = {}
    section, name = "", ""
    for line in docstring.splitlines():
        if line.removesuffix(":") in SECTIONS and line.endswith(":"):
            section, name = line.removesuffix(":"), ""
            sections[section] = {}
        elif not section:
            prose.append(line)
        elif (found := ENTRY.match(line)) and section != "Returns":
            name = found[1]
            sections[section][name] = found[2]
        elif line.strip():
            sections[section][name] = f"{sections[section].get(name, '')} {line.strip()}".strip()
    return "\n".join(prose).strip(), sections


def _code(text: str) -> str:
    """Marks of code as Markdown has them."""
    text = re.sub(r":(?:func|class|meth|mod):`([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def _errors(kind: type[errors.SweepError], depth: int) -> Iterator[str]:
    text = (kind.__doc__ or "").partition("\n")[0]
    yield f"{'  ' * depth}- `{kind.__name__}` (`{kind.code}`, exit code {kind.exit_code}): {_code(text)}"
    for each in vars(errors).values():
        if isinstance(each, type) and kind in each.__bases__:
            yield from _errors(each, depth + 1)
