"""`sweep report`: where it writes, and where it does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


def files(root: Path) -> dict[Path, float]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_it_writes_beside_you_and_never_into_the_sweep(sweep: Sweep, tmp_path: Path) -> None:
    paths = record(tmp_path / "results")
    before = files(paths.root)
    ran = sweep("report", "made-up")
    assert (ran.code, ran.out) == (0, "made-up-report.html\n")
    assert ran.err.startswith("12 trials, ")
    assert Path("made-up-report.html").read_text().startswith("<!doctype html>")
    assert files(paths.root) == before
    ran = sweep("report", "-o", paths.root / "mine.html")
    assert ran.code == 2
    assert "is inside the sweep's directory" in ran.err
    assert files(paths.root) == before


def test_an_earlier_report_is_replaced_and_nothing_else(sweep: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results")
    target = tmp_path / "a.html"
    assert sweep("report", "-o", target).code == 0
    os.utime(target, (1, 1))
    assert sweep("report", "-o", target).code == 0
    assert target.stat().st_mtime > 1
    for content in ("my notes", ""):
        target.write_text(content)
        ran = sweep("report", "-o", target)
        assert ran.code == 2
        assert "a.html exists and is not a sweep report; it was not overwritten" in ran.err
        assert target.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] in (["results", "a.html"], ["a.html", "results"])


def test_into_a_directory(sweep: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results")
    (tmp_path / "out").mkdir()
    assert sweep("report", "-o", "out").out == "out/made-up-report.html\n"
    assert (tmp_path / "out" / "made-up-report.html").is_file()
    ran = sweep("report", "-o", "nowhere/a.html")
    assert ran.code == 2
    assert "cannot write nowhere/a.html: No such file or directory" in ran.err


def test_a_name_that_is_none(sweep: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results")
    ran = sweep("report", "mad-up")
    assert ran.code == 2
    assert "did you mean made-up" in ran.err


@pytest.mark.parametrize("there_is_a_browser", [True, False])
def test_open(
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    there_is_a_browser: bool,
) -> None:
    record(tmp_path / "results")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or there_is_a_browser)
    ran = sweep("report", "-o", "a page.html", "--open")
    assert opened == [f"{tmp_path.as_uri()}/a%20page.html"]
    assert (ran.code, ran.out) == (0, "a page.html\n") if there_is_a_browser else (1, "a page.html\n")
    assert ("no browser" in ran.err) is not there_is_a_browser
