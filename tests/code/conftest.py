"""Writes the files of a user's project."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files, given as texts by path, into the project's directory, and return that."""

    def files(texts: Mapping[str, str]) -> Path:
        base = tmp_path / "project"
        for name, text in texts.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(textwrap.dedent(text))
        return base

    return files
