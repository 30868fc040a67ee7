"""Every fenced block of the documentation is run as written, in the order of its document, in a directory of its own.

What a block is stands behind its fence:

- ```yaml churn.yaml, ```python train.py: a file of that name; any language will do
- ```bash: commands, which end well; ```bash exit=2: the last ends with this code
- ```python: a program
- ```yaml, ```json, ```toml: a fragment, which must parse
- ```text, ```console: what is seen somewhere; ```text exact: all that the commands before it print
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("README.md", "CONTRIBUTING.md", "results/README.md", "examples/data/README.md")
DOCUMENTS = [*(ROOT / place for place in PLACES), *sorted((ROOT / "docs").rglob("*.md"))]
PARSERS = {"yaml": YAML(typ="safe").load, "json": json.loads, "toml": tomllib.loads}

# Lines of bash blocks that are not run here: the machine is set up already, and .ci/run runs make.
SET_UP = re.compile(
    r"git clone |cd sweep-orchestrator|make( |$)|(python3? -m )?pip install |python3? -m venv |source |\. "
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: ```language word word."""

    place: str  # file:line
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def exit_code(self) -> int:
        return next((int(word.removeprefix("exit=")) for word in self.words if word.startswith("exit=")), 0)

    @property
    def file(self) -> str | None:
        return next((word for word in self.words if "." in word), None)


def blocks(document: Path) -> list[Block]:
    found = []
    for token in MarkdownIt().parse(document.read_text()):
        if token.type == "fence":
            language, *words = token.info.split() or [""]
            place = f"{document.relative_to(ROOT)}:{token.map[0] + 1}"
            found.append(Block(place=place, language=language, words=tuple(words), text=token.content))
    return found


def place(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("document", [path for path in DOCUMENTS if blocks(path)], ids=place)
def test_blocks(document: Path, tmp_path: Path) -> None:
    for name in ("examples", "results/churn-example"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, tmp_path / name)
    printed = ""
    for block in blocks(document):
        if block.file is not None:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text)
        elif block.language == "bash":
            printed = run(["bash", "-euo", "pipefail", "-c", without_set_up(block.text)], block, tmp_path)
        elif block.language == "python":
            printed = run([sys.executable, "-c", block.text], block, tmp_path)
        elif block.language in PARSERS:
            PARSERS[block.language](block.text)
        elif block.language not in ("text", "console"):
            pytest.fail(f"{block.place}: nobody knows what to do with a block of {block.language or 'no language'}")
        elif "exact" in block.words:
            assert printed.strip() == block.text.strip(), f"{block.place}: this is printed instead:\n{printed}"


def run(command: list[str], block: Block, directory: Path) -> str:
    """Run it as a user would, and return all that it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert run.returncode == block.exit_code, f"{block.place}: exit code {run.returncode}\n{run.stdout}"
    return run.stdout


def without_set_up(text: str) -> str:
    return "\n".join("" if SET_UP.match(line.strip()) else line for line in text.splitlines())
