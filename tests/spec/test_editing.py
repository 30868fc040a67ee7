"""Edits a spec in place: the intended values change, and no other line does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.spec.editing import UneditableError, add_comments, comments, edit, remove_key, set_value
from orchestrator.yaml.reader import NotYamlError, from_yaml
from tests.spec.churn_example import EXAMPLE

ODD = """\
# What somebody wrote who likes space.

name:   churn            # the name
"trainable" : "train.py:train"

fixed: { data: 'a # b.csv' , target: churn,   }
# above the space
space:

    lr:                      # the rate
        loguniform:
            - 1e-4           # slow
            - 1e-1
        when: "kind == 'a#b'"
    # above kind
    kind: {choice: [a, 'a#b',
                    c]}      # three of them

    # above width
    width: {int: [1, 4]}
    note: |
        text # no comment
        more
# above the search
search:
objective: {metric: loss}
"""
TEXTS = {"example": EXAMPLE, "odd": ODD}
PATHS = [("space", "lr"), ("space", "kind"), ("space", "width"), ("space", "new"), ("fixed", "data"), ("fixed", "more"),
         ("search", "start"), ("search", "seed"), ("name",), ("parent",), ("budget", "trials"), ("constraints",),
         ("objective", "mode"), ("trial", "keep")]  # fmt: skip
values = st.sampled_from(
    [1, 0.5, "word", "two words", None, [1, 2], {"int": [1, 2], "when": "a == 1"}, [{"lr": 1e-5}, {"lr": 1}], ["a < 1"]]
)
edits = st.lists(st.tuples(st.sampled_from(PATHS), values | st.just("take out")), max_size=8)


def read(text: str) -> dict[str, Any]:
    document = from_yaml(text, "spec.yaml")
    assert not document.mistakes, document.mistakes
    return document.data


def edited(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """The same on a mapping."""
    section = data
    for name in path[:-1]:
        if section.get(name) is None:
            section[name] = {}
        section = section[name]
    section[path[-1]] = value


def taken_out(data: dict[str, Any], path: tuple[str, ...]) -> None:
    section = data if len(path) == 1 else data[path[0]]
    del section[path[-1]]
    if not section:
        del data[path[0]]


@pytest.mark.parametrize("name", TEXTS)
@given(edits=edits)
def test_the_values_are_those_that_were_meant(name: str, edits: list[tuple[tuple[str, ...], Any]]) -> None:
    text = TEXTS[name]
    data = copy.deepcopy(read(text))
    for path, value in edits:
        if value != "take out":
            text = set_value(text, path, value)
            edited(data, path, value)
        else:
            try:
                text = remove_key(text, path)
            except KeyError:
                continue
            taken_out(data, path)
        assert read(text) == data


@pytest.mark.parametrize("name", TEXTS)
@given(edits=edits)
def test_many_at_once_are_as_one_after_the_other(name: str, edits: list[tuple[tuple[str, ...], Any]]) -> None:
    apart: dict[tuple[str, ...], Any] = {}
    for path, value in edits:
        if not any(path[: len(each)] == each or each[: len(path)] == path for each in apart):
            apart[path] = value
    text = TEXTS[name]
    try:
        for path, value in apart.items():
            if value is not None and value != "take out":
                text = set_value(text, path, value)
        for path, value in apart.items():
            if value == "take out":
                text = remove_key(text, path)
    except KeyError:
        return
    given = {path: None if value == "take out" else value for path, value in apart.items() if value is not None}
    assert read(edit(TEXTS[name], given, after={})) == read(text)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("path", [("space", "lr"), ("space", "width"), ("name",), ("objective", "metric")])
def test_no_other_line_changes(name: str, path: tuple[str, ...]) -> None:
    before = TEXTS[name].splitlines()
    after = set_value(TEXTS[name], path, "x").splitlines()
    gone = [line for line in before if line not in after]
    assert [line for line in before if line in after] == [line for line in after if line in before]
    assert all("lr" in line or "width" in line or "name" in line or "metric" in line for line in gone[:1])
    assert len(gone) == (5 if (name, path) == ("odd", ("space", "lr")) else 1)


class TestTakeOut:
    def test_the_comment_above_the_next_stays(self) -> None:
        text = remove_key(remove_key(ODD, ("space", "lr")), ("space", "note"))
        assert "    # above kind\n    kind:" in text
        assert "    width: {int: [1, 4]}\n# above the search\n" in text
        assert "slow" not in text

    def test_out_of_braces(self) -> None:
        assert "{ data: 'a # b.csv'  }" not in remove_key(ODD, ("fixed", "target"))
        assert read(remove_key(ODD, ("fixed", "target")))["fixed"] == {"data": "a # b.csv"}
        assert read(remove_key(ODD, ("fixed", "data")))["fixed"] == {"target": "churn"}

    def test_what_is_not_there(self) -> None:
        for path in (("space", "nothing"), ("nothing", "x"), ("nothing",)):
            with pytest.raises(KeyError):
                remove_key(ODD, path)


class TestPut:
    def test_a_new_key_comes_last_or_where_it_is_told(self) -> None:
        assert "  momentum: {uniform: [0.5, 0.99], when: \"optimizer == 'sgd'\"}\n  x: 1\nconstraints:" in set_value(
            EXAMPLE, ("space", "x"), 1
        )
        assert "name: churn\nparent: old\ntrainable" in set_value(EXAMPLE, ("parent",), "old", after="name")
        assert set_value(EXAMPLE, ("parent",), "old").endswith("isolation: fork}\nparent: old\n")

    def test_a_list_of_mappings_unfolds_its_section_and_keeps_its_comment(self) -> None:
        text = EXAMPLE.replace("search: {method: tpe, seed: 0}", "search: {method: tpe, seed: 0x10}   # why")
        assert "search:   # why\n  method: tpe\n  seed: 0x10\n  start:\n    - {lr: 1}\nscheduler" in set_value(
            text, ("search", "start"), [{"lr": 1}]
        )

    def test_an_empty_section_and_one_that_is_not_there(self) -> None:
        assert "search: {seed: 1}\nobjective" in set_value(ODD, ("search", "seed"), 1)
        assert set_value(ODD, ("trial", "retries"), 1).endswith("trial: {retries: 1}\n")

    @pytest.mark.parametrize("text", ["", "[1, 2]", '{"name": "churn"}', "word"])
    def test_what_is_no_block_of_keys(self, text: str) -> None:
        with pytest.raises(UneditableError):
            set_value(text, ("name",), "x")

    def test_what_is_no_yaml(self) -> None:
        with pytest.raises(NotYamlError):
            set_value("a: [", ("name",), "x")

    def test_a_value_where_a_section_should_be(self) -> None:
        with pytest.raises(UneditableError, match="name is not a section"):
            set_value(ODD, ("name", "x"), 1)


class TestRemarks:
    def test_behind_the_line_or_behind_what_is_said_there(self) -> None:
        remarks = [(("space", "lr"), "was\n  wider"), (("trainable",), "and more"), (("space", "lr"), "it was")]
        text = add_comments(EXAMPLE, remarks)
        assert "lr: {loguniform: [1e-4, 1e-1]}  # was wider; it was\n" in text
        assert "# a built-in, module:attr, or file.py:attr; and more\n" in text
        assert read(text) == read(EXAMPLE)

    @pytest.mark.parametrize("path", [("space", "lr"), ("space", "lr", "when"), ("space", "kind"), ("fixed", "data")])
    def test_whatever_is_in_the_line(self, path: tuple[str, ...]) -> None:
        text = add_comments(ODD, [(path, "words")])
        assert read(text) == read(ODD)
        assert text.count("words") == 1

    def test_what_is_no_comment(self) -> None:
        assert [ODD[at:].partition("\n")[0] for at in comments(ODD)] == [
            "# What somebody wrote who likes space.",
            "# the name",
            "# above the space",
            "# the rate",
            "# slow",
            "# above kind",
            "# three of them",
            "# above width",
            "# above the search",
        ]
