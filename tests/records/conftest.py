"""The rows of a small sweep, and a directory for its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.records.paths import SweepPaths, claim


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    return claim(tmp_path / "results", "churn")
