"""Which figures of a notebook carry the code that draws; what comes of it in a browser is in tests/system."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import orchestrator
from orchestrator.analysis.report import figure as module
from orchestrator.analysis.report.figure import Parts
from tests.analysis.report.made import KINDS

pytestmark = pytest.mark.long

LIBRARY = "https://d3js.org v"


def test_the_first_figure_carries_the_code() -> None:
    parts = Parts()
    assert [parts.next(*each) for each in (("a", "1"), ("a", "1"), ("b", "2"), ("b", "3"))] == [
        "first",
        "later",
        "later",
        "later",
    ]


def test_it_does_so_again_when_its_cell_runs_again() -> None:
    parts = Parts()
    for each in (("a", "1"), ("b", "2")):
        parts.next(*each)
    assert parts.next("a", "3") == "first"
    assert parts.next("a", "3") == "later"
    assert parts.next("b", "4") == "later"


def test_once_where_the_notebook_does_not_tell_its_cells() -> None:
    parts = Parts()
    assert [parts.next("", run) for run in "1223"] == ["first", "later", "later", "later"]


@pytest.fixture
def in_cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretends that a cell of a notebook runs."""

    def run(cell: str, run: str) -> None:
        message = {"metadata": {"cellId": cell}, "header": {"msg_id": run}}
        shell = SimpleNamespace(kernel=object(), get_parent=lambda: message)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    monkeypatch.setattr(module, "_parts", Parts())
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    return run


def test_many_figures_embed_the_library_once(tmp_path: Path, in_cell: Any) -> None:
    sweep = orchestrator.load(KINDS["some"](tmp_path).root)
    shown = []
    for number in range(10):
        in_cell(f"cell {number}", f"run {number}")
        shown.append(sweep.curves()._repr_html_())
    assert [LIBRARY in each for each in shown] == [True] + 9 * [False]
    assert len(shown[0]) - len(shown[1]) > 300_000
    assert LIBRARY in sweep.curves().page  # a page that is saved stands alone
    in_cell("cell 0", "run 10")
    assert LIBRARY in sweep.slices()._repr_html_()


def test_each_is_whole_where_outputs_do_not_share_a_page(
    tmp_path: Path, in_cell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = orchestrator.load(KINDS["some"](tmp_path).root)
    assert all(LIBRARY in sweep.curves()._repr_html_() for _ in range(2))  # no notebook: who knows where it goes
    in_cell("a", "1")
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert all(LIBRARY in sweep.curves()._repr_html_() for _ in range(2))
