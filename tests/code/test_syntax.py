"""What makes two sources the same, and which imports are seen in one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import orchestrator
from orchestrator.code import syntax
from orchestrator.code.syntax import Import

SOURCE = b'''
"""A module."""
import os

LR = 0.1

def train(config, trial):
    """Train."""
    for step in range(3):
        trial.report(step=step, loss=config["x"] * LR)
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"LR = 0.1", b"LR = 0.1  # a comment"),
        (b"LR = 0.1", b"\n\nLR   =  (\n    0.1\n)\n"),
        (b"A module", b"Another module"),
        (b'    """Train."""\n', b""),
        (b'config["x"]', b"config['x']"),
        (b"\n", b"\r\n"),
        (b"    ", b"  "),
    ],
)
def test_how_it_is_written_does_not_matter(old: bytes, new: bytes) -> None:
    assert old in SOURCE
    assert syntax.same(SOURCE, SOURCE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"0.1", b"0.2"),
        (b"0.1", b"'0.1'"),
        (b"range(3)", b"range(True)"),
        (b"range(3)", b"range(3.0)"),
        (b"range(3)", b"range(None)"),
        (b"range(3)", b"range(...)"),
        (b"* LR", b"+ LR"),
        (b"import os", b"import sys"),
        (b"import os\n", b""),
        (b"loss=", b"loss_="),
        (b"config, trial", b"trial, config"),
        (b"LR = 0.1", b"LR = 0.1\nLR"),
        (b"LR = 0.1", b"LR = 0.1\n'a text that is no docstring'"),
        (b"    for", b"    global LR\n    for"),
    ],
)
def test_what_it_says_does(old: bytes, new: bytes) -> None:
    assert old in SOURCE
    assert not syntax.same(SOURCE, SOURCE.replace(old, new))


def test_a_syntax_error_is_compared_by_its_bytes() -> None:
    broken = SOURCE + b"\ndef ("
    assert not syntax.same(broken, SOURCE)
    assert not syntax.same(broken, broken + b"# comment")
    assert syntax.read(broken) == syntax.read(broken)
    assert syntax.read(broken).imports == ()


def test_what_the_parser_refuses_for_its_size_or_bytes() -> None:
    for source in (b"x = " + b"(" * 5000 + b")" * 5000, b"x = '\xff'", b"\0", b"x = 0x" + b"f" * 5000):
        assert syntax.read(source).fingerprint.startswith("code sha256 ")
        assert not syntax.same(source, source + b"\ny = 1")


def test_a_deep_expression_is_no_problem() -> None:
    sum_of_ones = b"x = " + b" + ".join([b"1"] * 900)
    assert syntax.same(sum_of_ones, sum_of_ones + b"  # many")
    assert not syntax.same(sum_of_ones, sum_of_ones + b" + 1")


PARTS = st.recursive(
    st.sampled_from(["x", "y", "1", "1.0", "True", "None", "'x'", "b'x'", "...", "[]", "()"]),
    lambda inner: st.one_of(
        st.builds("f({}, {})".format, inner, inner),
        st.builds("f({}, k={})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({} if {} else y)".format, inner, inner),
        st.builds("{{{}: {}, **y}}".format, inner, inner),
        st.builds("(lambda a={}: {})".format, inner, inner),
        st.builds("x[{}:{}]".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=8,
)


@given(PARTS, PARTS)
def test_fingerprints_are_the_same_where_python_sees_the_same_tree(one: str, other: str) -> None:
    alike = ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    assert syntax.same(one.encode(), other.encode()) == alike


def test_every_module_of_ours_differs_from_every_other() -> None:
    sources = {path.read_bytes() for path in Path(orchestrator.__file__).parent.rglob("*.py")}
    by_print = {syntax.read(source).fingerprint for source in sources if ast.parse(source).body[1:]}
    assert len(by_print) == sum(bool(ast.parse(source).body[1:]) for source in sources)


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a, b.c as d", [Import(module="a"), Import(module="b.c")]),
        ("from a.b import c, d", [Import(module="a.b", names=("c", "d"))]),
        ("from .. import x", [Import(module="", level=2, names=("x",))]),
        ("from .a import *", [Import(module="a", level=1, names=("*",))]),
        ("def f():\n if x:\n  try:\n   import a\n  except E: pass", [Import(module="a")]),
        ("importlib.import_module('a.b')", [Import(module="a.b")]),
        ("import_module('.a', __package__)", [Import(module="a", level=1)]),
        ("__import__('a')", [Import(module="a")]),
        ("import_module(f'models.{kind}')", [Import(module="models", all=True)]),
        ("import_module('models.' + kind)", [Import(module="models", all=True)]),
        ("import_module(kind)", []),
        ("import_module(f'{kind}')", []),
        ("import_module(f'net_{kind}')", []),
    ],
)
def test_imports_are_seen_wherever_they_are(text: str, imports: list[Import]) -> None:
    assert list(syntax.read(text.encode()).imports) == imports


def test_a_fingerprint_is_the_same_in_all_versions_of_python() -> None:
    """The machine that resumes a sweep may have another one."""
    source = b"""
from __future__ import annotations
import a.b as c

@decorated(1, *x, k=2.5, **y)
class Net(Base, metaclass=Meta):
    width: int = 3
    def __init__(self, a, /, b=None, *args, c: "int" = 1, **more) -> None:
        self.text = f"{a!r:>{b}} and {c}" u"x" if a else b"\\x00"
        global G
        del self[1:2, ::3]

    async def run(self):
        async with self as s:
            yield [i async for i in s if i and not (j := i)]

match x:
    case {"a": [1, *rest], **kw} | Point(x=0) if rest:
        lambda *, k=-1j: (yield)
try:
    pass
except* E as e:
    raise X from e
"""
    assert (
        syntax.read(source).fingerprint
        == "code sha256 f5a991fca72a56d0c949cf10ed823bc7a9fbfe177c3eb62898a96423738a02f9"
    )
