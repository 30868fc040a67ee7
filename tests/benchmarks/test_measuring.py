"""Benchmark records do not pile up: each run removes what is older than the newest few of its question."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import measuring


def test_the_newest_records_of_a_question_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    for name in ("disk", "disk_full"):
        for second in range(5):
            (tmp_path / f"{name}-2026-11-22-00000{second}.json").touch()
    measuring.prune("disk")
    left = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("disk_full"))
    assert left == [f"disk-2026-11-22-00000{second}.json" for second in (2, 3, 4)]
    assert len(list(tmp_path.glob("disk_full-*"))) == 5
