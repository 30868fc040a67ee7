"""What a sweep noted: of its last session, and what holds for good."""

from __future__ import annotations

from pathlib import Path

from orchestrator.analysis.summary.overview import notes
from orchestrator.core.rows import NODE, PACKING, EventRow
from orchestrator.records.paths import claim
from orchestrator.records.recorder import Recorder


def test_what_lasts_comes_first_and_outlives_its_session(tmp_path: Path) -> None:
    paths = claim(tmp_path, "sweep")
    said = [
        ("sweep", "began"),
        ("note", "a passing trouble"),
        (PACKING, "gpu: packed: 3 trials share a GPU"),
        ("sweep", "interrupted by SIGINT"),
        ("sweep", "began"),
        ("note", "the space is used up"),
        (NODE, "node 10.0.0.7 is set aside"),
    ]
    with Recorder(paths, sweep="sweep", parameters={}) as recorder:
        recorder.events(EventRow(at=float(at), event=event, reason=reason) for at, (event, reason) in enumerate(said))
    assert notes(paths) == ["gpu: packed: 3 trials share a GPU", "node 10.0.0.7 is set aside", "the space is used up"]
