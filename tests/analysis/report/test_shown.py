"""A loaded sweep shows itself."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

import orchestrator
from orchestrator.errors import UserError
from tests.analysis.report.made import HOSTILE, KINDS, made


def test_in_a_notebook(tmp_path: Path) -> None:
    sweep = orchestrator.load(KINDS["some"](tmp_path).root)
    shown = sweep._repr_html_()
    assert "<b>some</b>, finished" in shown
    assert shown.count("<tr>") == 6
    assert "3 completed, 57 stopped" in shown
    assert sweep.trials.shape[0] == 60


def test_its_drawings(tmp_path: Path) -> None:
    sweep = orchestrator.load(KINDS["some"](tmp_path).root)
    for drawing in (sweep.curves(), sweep.parallel(), sweep.slices()):
        framed = drawing._repr_html_()
        assert framed.startswith("<iframe ")
        assert framed.count("<") == 2
        assert html.unescape(framed.partition('srcdoc="')[2].partition('"')[0]) == drawing.page
        assert ".save(path)" in repr(drawing)
        target = tmp_path / "drawing.html"
        drawing.save(target)
        assert target.read_text() == drawing.page
    (tmp_path / "notes.html").write_text("mine")
    with pytest.raises(UserError, match="is not a sweep report"):
        sweep.curves().save(tmp_path / "notes.html")


def test_html_in_it_is_text(tmp_path: Path) -> None:
    space = {"p": {"choice": [HOSTILE, "b"]}}
    shown = orchestrator.load(made(tmp_path, trials=4, space={**SPACE, **space}).root)._repr_html_()
    assert "<img" not in shown


SPACE = {"lr": {"loguniform": [1e-5, 1.0]}, "dropout": {"uniform": [0.0, 0.6]}, "layers": {"int": [1, 5]}}


def test_before_the_first_trial(tmp_path: Path) -> None:
    sweep = orchestrator.load(KINDS["just-started"](tmp_path).root)
    assert "No trials yet" in sweep._repr_html_()
    assert sweep.curves().page
