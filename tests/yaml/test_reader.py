"""YAML values, lines and mistakes; no text leads to a traceback."""

import pytest

from orchestrator.errors import Place
from orchestrator.yaml.reader import from_yaml


def read(text):
    return from_yaml(text, "s.yaml")


def mistakes(text):
    return [str(mistake) for mistake in read(text).mistakes]


def test_values_are_those_of_yaml_1_2():
    text = "a: [1e-4, 1E5, 010, 0x1F, 0o17, no, on, yes, true, 2020-01-01, ~, .5, -3, '1', !!str 1]"
    assert read(text).data["a"] == [
        1e-4, 1e5, 10, 31, 15, "no", "on", "yes", True, "2020-01-01", None, 0.5, -3, "1", "1",
    ]  # fmt: skip


def test_a_version_directive_changes_nothing():
    assert read("%YAML 1.1\n---\na: no\n").data == {"a": "no"}


def test_every_key_and_item_has_its_line():
    document = read("a:\n  b: 1\n  c:\n    - x\n    - y\n")
    lines = {path: place.line for path, place in document.places.items()}
    assert lines == {(): 1, ("a",): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 0): 4, ("a", "c", 1): 5}
    assert document.place(("a", "nothing", "there")) == Place(file="s.yaml", line=1, column=1)


def test_anchors_and_merges_are_fine():
    text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {b: 4, <<: [{b: 5, c: 6}, *x]}\n"
    document = read(text)
    assert not document.mistakes
    assert document.data["y"] == {"a": 1, "b": 3}
    assert document.data["z"] == {"a": 1, "b": 4, "c": 6}


BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "s.yaml:1: the document is empty"),
        ("# only a comment\n", "s.yaml:1: the document is empty"),
        ("just words", "s.yaml:1: the document has no keys"),
        ("- 1\n- 2\n", "s.yaml:1: the document has no keys"),
        ("a: 1\nb: 2\na: 3\n", "s.yaml:3: a: given twice, first on line 1"),
        ("a: {b: 1, b: 2}\n", "s.yaml:1: a.b: given twice, first on line 1"),
        ('"\\uD800": 2\n', "s.yaml:1: the key '\\ud800' is not text"),
        ('a: {b: ["\\uDC00"]}\n', "s.yaml:1: a.b[0]: not text: half of a surrogate pair, which no file can hold"),
        ("1: 2\n", "s.yaml:1: the key '1' is not text"),
        ("true: 2\n", "s.yaml:1: the key 'true' is not text"),
        ("{a: 1}: 2\n", "s.yaml:1: the key in brackets is not text"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "s.yaml:1: a: the tag '!!python/object/apply:os.system'",
        ),
        ("a: !secret x\n", "s.yaml:1: a: the tag '!secret' is not allowed"),
        ("!!set {a}\n", "s.yaml:1: the tag '!!set' is not allowed"),
        ("a: 1\n---\nb: 2\n", "s.yaml:2: not YAML: but found another document"),
        ("a:\n\tb: 1\n", "s.yaml:2: not YAML: found a tab that cannot start any token (indent with spaces)"),
        ("a: [1, 2\nb: 3\n", "s.yaml:2: not YAML"),
        ("a: b: c\n", "s.yaml:1: not YAML: mapping values are not allowed here (in 'a: b: c')"),
        ("a: 'open\n", "not YAML: found unexpected end of stream"),
        ("a: *nowhere\n", "s.yaml:1: not YAML: found undefined alias 'nowhere'"),
        ("a: \x07\n", "not YAML: unacceptable character"),
        ("a: &a [1, *a]\n", "too large: aliases multiply"),
        ("a: &a\n  <<: *a\n", "too large: aliases multiply"),
        (BILLION_LAUGHS, "too large: aliases multiply"),
        ("a: " + "[" * 60 + "]" * 60, "too large"),
        ("a: " + "[" * 1000, "nested too deeply"),
        ('a: "\\UFFFFFFFF"', "s.yaml:1: not YAML"),
        ("a: {<<: 3}\n", "s.yaml:1: a: << takes a mapping"),
    ],
)
def test_oddities_are_mistakes(text, expected):
    found = mistakes(text)
    assert any(expected in mistake for mistake in found), found


@pytest.mark.parametrize(
    ("text", "line", "quoted"),
    [
        ("space:\n  m: {uniform: [0, 1], when: optimizer == 'sgd'}\n", 2, "when: \"optimizer == 'sgd'\""),
        ("space:\n  m:\n    int: [0, 1]\n    when: a > 1\n", 4, 'when: "a > 1"'),
        ("space:\n  m: {when: o in ['a', 'b'], int: [0, 1]}\n", 2, "when: \"o in ['a', 'b']\""),
        ("space:\n  m:\n    when: 'a' == o  # why\n    int: [0, 1]\n", 3, "when: \"'a' == o\""),
        ("space:\n  m:\n    when: [1, 2] == o\n    int: [0, 1]\n", 3, 'when: "[1, 2] == o"'),
        ('space:\n  m:\n    when: "a" == o\n', 3, "when: \"'a' == o\""),
        ("constraints:\n  - layers * width <= 512\n", 2, '- "layers * width <= 512"'),
        ("constraints:\n- a < 1\n", 2, '- "a < 1"'),
        ("constraints:\n  - \"a < 1\"\n  - 'x' == o\n", 3, "- \"'x' == o\""),
        ("constraints:\n  - *width < 3\n", 2, '- "*width < 3"'),
        ("constraints:\n  - a == 1: b\n  - [a] == b\n", 3, '- "[a] == b"'),
    ],
)
def test_an_expression_without_quotes_is_shown_with_them(text, line, quoted):
    found = mistakes(text)
    place = f"s.yaml:{line}: "
    assert any(each.startswith(place) and f"(write {quoted})" in each for each in found), found


def test_quoted_expressions_are_fine():
    text = "space:\n  m: {int: [0, 1], when: \"a == 'x'\"}\nconstraints:\n  - 'a < 1'\n  - >-\n    a\n    < 2\n"
    assert mistakes(text) == []
    assert read(text).data["constraints"] == ["a < 1", "a < 2"]
