from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.command.template import expand, expand_arguments, names_in


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("--lr={lr}", "--lr=1e-05"),
        ("{lr}{lr}", "1e-051e-05"),
        ("{optim.name}", "adam w"),
        ("{amp}", "true"),
        ("layers={layers}", "layers=[1, 2]"),
        ("{{lr}}", "{lr}"),
        ("${lr} ${oc.env:HOME}", "${lr} ${oc.env:HOME}"),
        ('{"lr": {lr}}', '{"lr": 1e-05}'),
        ("{1..3} {} { lr }", "{1..3} {} { lr }"),
        ("{größe}", "3"),
    ],
)
def test_a_name_between_braces_is_a_placeholder_and_nothing_else(text: str, expanded: str) -> None:
    values = {"lr": 1e-5, "optim.name": "adam w", "amp": True, "layers": [1, 2], "größe": 3}
    assert expand(text, values) == expanded


def test_a_value_is_one_argument_whatever_is_in_it() -> None:
    assert expand_arguments(["p", "--name", "{name}"], {"name": "; rm -rf $HOME '"}) == [
        "p",
        "--name",
        "; rm -rf $HOME '",
    ]


@pytest.mark.parametrize(
    ("command", "values", "arguments"),
    [
        ("p --momentum {momentum} --lr {lr}", {"lr": 1}, "p --lr 1"),
        ("p --momentum={momentum} --lr {lr}", {"lr": 1}, "p --lr 1"),
        ("p momentum={momentum}", {}, "p"),
        ("p file {momentum}", {}, "p file"),
        ("p --momentum {momentum}", {"momentum": None}, "p"),
        ("p --a {a} --b {b}", {}, "p"),
        ("p -m {m} {a} {b}", {}, "p"),
        ("p --layers {layers}", {"layers": [8, "a b"]}, "p --layers 8 'a b'"),
        ("p --layers {layers}", {"layers": []}, "p --layers"),
    ],
)
def test_arguments_without_a_value_are_left_out_and_a_list_is_several(
    command: str, values: dict[str, Any], arguments: str
) -> None:
    assert expand_arguments(shlex.split(command), values) == shlex.split(arguments)


@given(st.text(), st.one_of(st.text(), st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans()))
def test_any_value_arrives_as_it_was(before: str, value: Any) -> None:
    (argument,) = expand_arguments([before.replace("{", "").replace("$", "") + "{x}"], {"x": value})
    arrived = argument[len(before.replace("{", "").replace("$", "")) :]
    assert arrived == value if isinstance(value, str) else json.loads(arrived) == value


@given(st.text())
def test_a_text_without_names_stays(text: str) -> None:
    if not list(names_in(text)) and "{{" not in text:
        assert expand(text, {}) == text
