"""The ends of logs on the page: of the trials that matter, as text, and bounded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.analysis.report import logs
from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.logs import EACH, log_ends
from orchestrator.analysis.report.page import page
from orchestrator.records.paths import SweepPaths
from tests.analysis.report.made import HOSTILE, KINDS
from tests.analysis.report.test_page import Elements


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    (tmp_path / "logs").mkdir()
    return SweepPaths(tmp_path)


def test_whole_lines_at_the_end(paths: SweepPaths) -> None:
    lines = [f"epoch {number}: \N{GREEK SMALL LETTER LAMDA} 0.5" for number in range(2000)]
    paths.log(0).write_text("\n".join(lines) + "\n")
    paths.log(1).write_text("short\n")
    paths.log(2).write_text("x" * 3 * EACH)
    whole, short, one_line = log_ends(paths, [0, 1, 2]).ends
    kept = whole.text.split("\n")
    assert kept == lines[-len(kept) :]
    assert whole.before == len("\n".join(lines[: -len(kept)]).encode()) + 1
    assert EACH - 40 < len(whole.text.encode()) <= EACH
    assert (short.text, short.before) == ("short", 0)
    assert (one_line.text, one_line.before) == ("x" * EACH, 2 * EACH)


def test_what_a_terminal_would_show(paths: SweepPaths) -> None:
    paths.log(0).write_bytes(b"10%\r50%\r100%\n\x1b[31mred\x1b[0m \x1b]0;title\x07\xff\x00 \xe2\x80\xae\n\n")
    assert log_ends(paths, [0]).ends[0].text == "100%\nred \N{REPLACEMENT CHARACTER}\N{MIDDLE DOT} \N{MIDDLE DOT}"


def test_only_regular_files_are_read(paths: SweepPaths, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    paths.log(0).symlink_to(secret)
    os.mkfifo(paths.log(1))
    paths.log(2).mkdir()
    assert [end.text for end in log_ends(paths, range(4)).ends] == ["", "", "", ""]


def test_a_page_holds_so_much_and_no_more(paths: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    for trial in range(100):
        paths.log(trial).write_text("x" * 2 * EACH)
    found = log_ends(paths, range(100))
    assert len(found.ends) == logs.ALL // EACH
    assert found.held == sum(len(end.text) for end in found.ends) <= logs.ALL
    monkeypatch.setattr(logs, "OPENED", 7)
    assert len(log_ends(paths, range(100)).ends) == 7


def test_the_best_and_a_failure_of_each_cause_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = KINDS["failing"](tmp_path)
    paths.logs.mkdir(exist_ok=True)
    for trial in range(50):
        paths.log(trial).write_text(f"{HOSTILE} of {trial}\n")
    everything = collect(paths)
    assert sorted(end.trial for end in everything.logs.ends) == list(range(50))
    assert everything.best is not None
    monkeypatch.setattr(logs, "ALL", 1100)
    data = collect(paths)
    held = [end.trial for end in data.logs.ends]
    assert len(held) < 20
    assert held[0] == everything.best.ranked.trial
    assert {cause.trials[0] for cause in data.causes} <= set(held)
    written = page(data)
    assert "<img" not in written
    assert json.loads(Elements(written).scripts[1])["logs"]["ends"][0][1] == f"{HOSTILE} of {held[0]}"
