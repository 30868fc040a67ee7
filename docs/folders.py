"""Writes the table of folders in docs/ARCHITECTURE.md: each with the first sentence of its ``__init__`` docstring.

The folders of orchestrator/ come in the order of the floors that import-linter holds, the top floor first.
`make docs` writes the table, and `make check` compares it (``--check``).
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
FLOORS = "A folder imports only from the floors below"
MARKS = ("<!-- folders: written by docs/folders.py -->", "<!-- end of folders -->")


def floors() -> list[str]:
    """The packages of orchestrator/, from the top floor to the lowest."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["name"] == FLOORS)
    names = [name for layer in layers for name in layer.split(" | ")]
    return [name for name in names if (ROOT / name.replace(".", "/")).is_dir()]


def folders() -> list[Path]:
    """All packages, those of orchestrator/ by floor, each followed by the packages inside."""
    own = [ROOT / name.replace(".", "/") for name in floors()]
    return [each for top in (*own, ROOT / "trainables", ROOT / "cluster") for each in _packages(top)]


def _packages(folder: Path) -> Iterator[Path]:
    yield folder
    for inner in sorted(folder.iterdir()):
        if (inner / "__init__.py").is_file():
            yield from _packages(inner)


def sentence(folder: Path) -> str:
    """The first sentence of the docstring of a package."""
    text = " ".join((ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "").split())
    first = re.split(r"(?<=\.)(?: |$)", text)[0]
    if not first:
        sys.exit(f"{folder.relative_to(ROOT)}/__init__.py does not say what belongs there")
    return first.replace("``", "`")


def table() -> str:
    """The table as Markdown."""
    rows = [f"| `{folder.relative_to(ROOT)}/` | {sentence(folder)} |" for folder in folders()]
    return "\n".join([MARKS[0], "", "| folder | what belongs there |", "|---|---|", *rows, "", MARKS[1]])


def main() -> int:
    written = PAGE.read_text()
    current = re.sub(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", lambda _: table(), written, flags=re.S)
    if "--check" not in sys.argv:
        PAGE.write_text(current)
    elif current != written:
        print("docs/ARCHITECTURE.md is out of date; update it with: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
