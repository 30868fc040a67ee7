"""What is private to Ray is touched in cluster/ray_private only, and every name of it is declared there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.ray_private import names
from cluster.ray_private.names import FAMILIES
from orchestrator.own_packages import ROOT

HERE = ROOT / "cluster" / "ray_private"
OURS = [path for package in ("cluster", "orchestrator", "trainables") for path in (ROOT / package).rglob("*.py")]
INSIDE = [path for path in OURS if path.is_relative_to(HERE)]
OUTSIDE = [path for path in OURS if not path.is_relative_to(HERE)]

PRIVATE_MODULE = re.compile(
    r"ray\.(?:.*\.)?_|ray\.(?:air|core|scripts|experimental|dashboard|tune\.(?:execution|impl))\b"
)
"""Modules of Ray whose content is not documented."""

DOCUMENTED_BASES = {"Callback", "Searcher", "SilentCallback", "Stopper", "TrialScheduler"}
"""What is subclassed outside: hooks that Ray documents, and our own faces of what it does not."""

DOCUMENTED_VARIABLES = {
    "RAY_ADDRESS",
    "RAY_API_SERVER_ADDRESS",
    "RAY_AUTH_MODE",
    "RAY_AUTH_TOKEN",
    "RAY_AUTH_TOKEN_PATH",
    "RAY_TMPDIR",
}

NAMES = [name for family in FAMILIES for name in family.names]
PARTS = {part for name in NAMES for part in re.split(r"\W+", name.replace(":", "."))}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def underscored(tree: ast.AST) -> Iterator[str]:
    """Names with a leading underscore of objects that are not the code's own, and such arguments of calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "os")):
                yield node.attr
        elif isinstance(node, ast.keyword) and node.arg and node.arg.startswith("_"):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"_[a-z]\w+", node.value):
            yield node.value


@pytest.mark.parametrize("path", OUTSIDE, ids=name_of)
def test_nothing_private_to_ray_outside(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert [name for name in imports(tree) if PRIVATE_MODULE.match(name)] == []
    declared = {part for part in PARTS if part.startswith("_")}
    assert declared & set(underscored(tree)) == set()


@pytest.mark.parametrize("path", OUTSIDE, ids=name_of)
def test_only_documented_variables_are_read_or_set_outside(path: Path) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    variables = {text for text in texts if re.fullmatch(r"(RAY|TUNE)_\w+", text)}
    assert variables - DOCUMENTED_VARIABLES == set()


def test_only_documented_classes_of_ray_are_subclassed_outside() -> None:
    for path in OUTSIDE:
        tree = ast.parse(path.read_text())
        from_ray = {name.rpartition(".")[2] for name in imports(tree) if name.startswith("ray.")}
        for node in ast.walk(tree):
            bases = {ast.unparse(base) for base in node.bases} if isinstance(node, ast.ClassDef) else set()
            assert (bases & from_ray) - DOCUMENTED_BASES == set(), f"{path}: {bases}"


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_every_private_name_inside_is_declared(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert [name for name in imports(tree) if PRIVATE_MODULE.match(name)] == [], "look it up by its Family"
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert set(underscored(tree)) - own - PARTS == set()


def test_every_family_is_looked_up_or_overridden() -> None:
    code = "\n".join(path.read_text() for path in INSIDE if path.name != "names.py")
    for constant, family in vars(names).items():
        if isinstance(family, names.Family):
            methods = [name.rpartition(".")[2] for name in family.names]
            overridden = all(re.search(rf"^    def {method}\(self", code, re.MULTILINE) for method in methods)
            assert re.search(rf"\b{constant}\.(find|require)\(", code) or overridden, constant


def test_the_documentation_lists_every_family() -> None:
    text = (ROOT / "docs" / "ray.md").read_text()
    for family in FAMILIES:
        listed = "<br>".join(f"`{name}`" for name in family.names)
        row = f"| {family.purpose} | {listed} | {'**needed**: ' if family.needed else ''}{family.without} |"
        assert row in text, f"docs/ray.md lacks the row\n{row}"
