"""Every fenced block of the documentation is run as written, in the order of its document, in a directory of its own.

What a block is stands behind its fence:

- ```yaml churn.yaml, ```python train.py: a file of that name; any language will do
- ```bash: commands, which end well; ```bash exit=2: the last ends with this code
- ```python: a program
- ```python session: goes on where the one before ended, as in a notebook; its last expression is its answer
- ```sql: asked of DuckDB, which answers as the session before did
- ```yaml, ```json, ```toml: a fragment, which must parse
- ```text, ```console: what is seen somewhere; ```text exact: all that the commands before it print, or their answer
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
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from docs.answers import Notebook, shown

pytestmark = pytest.mark.long

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
def test_blocks(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("examples", "results/churn-example"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, tmp_path / name)
    printed, answer, notebook = "", None, Notebook()
    monkeypatch.chdir(tmp_path)
    for block in blocks(document):
        if block.file is not None:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text)
        elif block.language == "bash":
            printed = run(["bash", "-euo", "pipefail", "-c", without_set_up(block.text)], block, tmp_path)
        elif block.language == "python" and "session" in block.words:
            answer = notebook.run(block.text)
            printed = "" if answer is None else shown(answer)
        elif block.language == "sql":
            other = notebook.ask(block.text)
            if answer is not None:  # else it makes views, where the session read tables
                assert_same(answer, other, block)
        elif block.language == "python":
            printed = run([sys.executable, "-c", block.text], block, tmp_path)
        elif block.language in PARSERS:
            PARSERS[block.language](block.text)
        elif block.language not in ("text", "console"):
            pytest.fail(f"{block.place}: nobody knows what to do with a block of {block.language or 'no language'}")
        elif "exact" in block.words:
            assert printed.strip() == block.text.strip(), f"{block.place}: this is printed instead:\n{printed}"
    if document.name == "your_own.md":  # a launch ends well although some of its trials have failed
        for table in tmp_path.glob("results/*/trials.parquet"):
            failed = pd.read_parquet(table).query("state == 'failed'")
            assert failed.empty, f"{table.parent.name}: {failed['reason'].iloc[0]}"


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


def test_two_answers_must_agree() -> None:
    block, answer = blocks(ROOT / "docs" / "analysis.md")[0], pd.DataFrame({"a": [1, 2], "b": [0.5, None]})
    assert_same(answer.set_index("a"), answer[["b", "a"]].astype({"a": "int32"}), block)
    for other in (answer.iloc[::-1].reset_index(drop=True), answer.rename(columns={"a": "c"}), answer.head(1)):
        with pytest.raises(AssertionError, match=block.place):
            assert_same(answer, other, block)


def assert_same(answer: Any, other: Any, block: Block) -> None:
    """Of two answers to a question; types may differ, as those of integers with gaps do, and the order of columns."""
    here = answer.reset_index() if answer.index.name is not None else answer.reset_index(drop=True)
    here = here.rename(columns=str).rename_axis(columns=None)
    pd.testing.assert_frame_equal(here, other, check_dtype=False, check_like=True, obj=block.place)


def without_set_up(text: str) -> str:
    return "\n".join("" if SET_UP.match(line.strip()) else line for line in text.splitlines())
