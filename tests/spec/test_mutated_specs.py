"""Any mutation of a spec gives a Spec or a SpecError, and every mistake has a message."""

import copy
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator.core.ladder import ladder
from orchestrator.errors import SpecError
from orchestrator.spec import Spec, parse_spec, read_spec
from tests.spec.churn_example import EXAMPLE, TABULAR

LINES = EXAMPLE.splitlines()
PLAIN = YAML(typ="safe", pure=True).load(EXAMPLE)
STRANGE = [
    "",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "*a",
    "&a",
    "!!int",
    "!x",
    "'",
    '"',
    "|",
    "%",
    "\0",
    "<<: ",
    "é",
    "#",
]
ODD = (None, True, "", 0, -1, 3, 1e300, -1e-300, float("nan"), float("inf"), 2**70, 10**5000, object(), b"x")
WORDS = ("x", "sgd", "10m", "list", "grid", "asha", "lr > 0 and 1 / 0 > 1", "9**9**9 > 1", "lr > 1e-3")
NESTED = ([], [1, 2], [2, 1], ["a", "a"], [[[[]]]], (0, 1), {}, {1: 2}, {"when": "lr > 0"})
DISTRIBUTIONS = (
    {"uniform": [0, 1]},
    {"grid": [1, 2]},
    {"int": [0, 10**15]},
    {"choice": ["a", 1], "when": "lr > 0"},
)
VALUES = st.sampled_from([*ODD, *WORDS, *NESTED, *DISTRIBUTIONS])


def ends_well(read):
    found = outcome(read)
    if isinstance(found, SpecError):
        assert found.mistakes
        assert all(str(mistake.place) and mistake.problem for mistake in found.mistakes)
    else:
        assert isinstance(found, Spec)
        assert parse_spec(found.to_plain(), base=Path()) == found
        ladder(found, TABULAR)


def outcome(read):
    try:
        return read()
    except SpecError as error:
        return error


@st.composite
def mutated_texts(draw):
    """The example with some lines or characters deleted, doubled, moved or replaced."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        column = draw(st.integers(0, len(line)))
        match draw(st.sampled_from(["delete", "double", "move", "insert", "cut", "indent"])):
            case "delete" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), line)
            case "move":
                lines[at] = draw(st.sampled_from(LINES))
            case "insert":
                lines[at] = line[:column] + draw(st.sampled_from(STRANGE) | st.text(max_size=3)) + line[column:]
            case "cut":
                lines[at] = line[:column] + line[column + draw(st.integers(1, 5)) :]
            case "indent":
                lines[at] = "  " + line
    return "\n".join(lines)


@st.composite
def mutated_mappings(draw):
    """The example's values with some keys deleted or renamed, and some values replaced."""
    data = copy.deepcopy(PLAIN)
    for _ in range(draw(st.integers(1, 4))):
        inner = data
        while True:
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(inner[key], dict | list) and draw(st.booleans()):
                inner = inner[key]
                continue
            match draw(st.sampled_from(["delete", "rename", "replace", "replace"])):
                case "delete":
                    del inner[key]
                case "rename" if isinstance(inner, dict):
                    name = draw(st.sampled_from([f"{key}s", str(key)[:-1], "lr", "grid", "when", "max", 3]))
                    inner[name] = inner.pop(key)
                case "replace":
                    inner[key] = copy.deepcopy(draw(VALUES))
            break
    return data


@settings(derandomize=True, deadline=None, max_examples=200)
@given(text=mutated_texts())
def test_mutated_texts(text):
    with TemporaryDirectory() as directory:
        path = Path(directory) / "s.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        ends_well(lambda: read_spec(path, resolve=lambda *_: TABULAR))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(data=mutated_mappings(), declared=st.booleans())
def test_mutated_mappings(data, declared):
    ends_well(lambda: parse_spec(data, base=Path(), resolve=lambda *_: TABULAR if declared else None))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    key=st.sampled_from(
        ["space.lr", "space.new", "search.start", "search", "constraints.0", "budget.trials", "fixed", "x"]
    ),
    text=st.sampled_from(["{uniform: [0, 1]}", "3", "[", "{a: b}", "null", "lr > 1e-3", "[{lr: 1}]", "&a [*a]"])
    | st.text(max_size=10),
)
def test_overrides(key, text):
    ends_well(lambda: parse_spec(PLAIN, base=Path(), overrides=[f"{key}={text}"]))
