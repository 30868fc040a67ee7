"""What the documentation points to is there: files that it links or names, and tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOR_USERS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "results" / "README.md"]
FOR_DEVELOPERS = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "AGENTS.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "decisions").glob("*.md"),
]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
MODULE = re.compile(r"`([\w/]+\.py)(?:::\w+)?`")
TEST = re.compile(r"`(?:[\w/]+\.py::)?((?:test_|Test)\w+)`")
PACKAGES = ("orchestrator", "trainables", "cluster")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", FOR_USERS + FOR_DEVELOPERS, ids=name_of)
def test_links(document: Path) -> None:
    assert not [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", FOR_DEVELOPERS, ids=name_of)
def test_modules_and_tests_by_name(document: Path) -> None:
    text = document.read_text()
    modules = [name for name in MODULE.findall(text) if not (ROOT / name).exists()]
    assert [name for name in modules if not any(list((ROOT / each).rglob(name)) for each in PACKAGES)] == []
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in TEST.findall(text) if not re.search(rf"(def|class) {name}\b", code)] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    references = {f"reference/{path.name}" for path in (ROOT / "docs" / "reference").glob("*.md")}
    assert sorted(each for each in pages | references if f"]({each})" not in index) == []


def test_the_readme_takes_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 1200
