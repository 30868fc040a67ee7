"""The page, from sweeps of every kind: nothing in it can be run but its own scripts, and nothing is asked for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.data import ReportData
from orchestrator.analysis.report.page import FigureName, figure, is_report, page
from orchestrator.records.paths import SweepPaths
from tests.analysis.report.made import HOSTILE, KINDS, T0, made

ROOT = Path(__file__).resolve().parents[3]
OLD = ROOT / "tests" / "records" / "schema_v1"
SMALL = [kind for kind in KINDS if kind != "large"]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and what stands in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style") and not self.scripts[-1]:
            self.scripts[-1] = data
        else:
            self.text += data


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportData]:
    results = tmp_path_factory.mktemp("results")
    return {kind: collect(KINDS[kind](results)) for kind in SMALL} | {"old": collect(SweepPaths(OLD))}


@pytest.mark.parametrize("kind", [*SMALL, "old"])
def test_nothing_is_asked_for_and_nothing_else_can_run(kind: str, sweeps: dict[str, ReportData]) -> None:
    written = page(sweeps[kind])
    elements = Elements(written)
    assert {tag for tag, _ in elements.found}.isdisjoint({"img", "iframe", "object", "embed", "form", "base"})
    assert not [attributes for _, attributes in elements.found if any(name.startswith("on") for name in attributes)]
    assert not [attributes for _, attributes in elements.found if "src" in attributes or "style" in attributes]
    links = {attributes["href"] for _, attributes in elements.found if "href" in attributes}
    assert {link for link in links if link and not link.startswith("#")} == {"data:,", "https://d3js.org"}
    assert "url(" not in elements.scripts[0]

    (policy,) = (each["content"] for tag, each in elements.found if each.get("http-equiv") == "Content-Security-Policy")
    style, data, *scripts = elements.scripts
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for text in (style, *scripts):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    assert isinstance(json.loads(data), dict)


def test_html_in_the_records_is_text(tmp_path: Path) -> None:
    trial = f"t{HOSTILE}"
    data = collect(made(tmp_path, KIND, name="hostile", trials=6, space={"p": {"choice": [HOSTILE, trial]}}))
    written = page(data)
    assert "<img" not in written
    assert "<b>bold" not in written
    elements = Elements(written)
    assert HOSTILE in elements.text  # the command, the spec, the best configuration, an error
    assert json.loads(elements.scripts[1])["axes"][0]["words"] == [HOSTILE, trial]
    assert "<" not in elements.scripts[1]


def KIND(start: Any) -> Any:
    if start.trial % 2:
        raise ValueError(HOSTILE)
    yield 1.0, 1, {"val_loss": 1.0}


def test_the_text_says_what_matters(sweeps: dict[str, ReportData]) -> None:
    text = re.sub(r"\s+", " ", Elements(page(sweeps["failing"])).text)
    assert "35 failed" in text
    assert "35 × MemoryError" in text
    assert re.search(r"35 trials, [a-z ]+ batch_size ≥ 128", text)
    assert "Early stopping saved about " in text
    best = sweeps["failing"].best
    assert best is not None
    assert f"Trial {best.ranked.trial}, best step {best.ranked.step}." in text
    assert 'metrics.pivot(index="step", columns="trial", values="val_loss")' in text
    text = Elements(page(sweeps["diverging"])).text
    diverged = re.search(r"(\d+) of 80 trials diverged, [a-z ]+ lr ≥ ", text)
    assert diverged is not None
    assert f"Trials by diagnosis: {diverged[1]} diverged, " in text
    assert "No trial has started yet" in Elements(page(sweeps["just-started"])).text


def test_what_is_thinned_is_said(
    sweeps: dict[str, ReportData], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = Elements(page(sweeps["some"])).text
    assert "are drawn:" not in whole
    assert "thinned" not in whole
    monkeypatch.setattr("orchestrator.analysis.report.curves.VALUES", 2000)
    paths = KINDS["some"](tmp_path)
    assert "Curves are thinned to " in Elements(page(collect(paths))).text
    monkeypatch.setattr("orchestrator.analysis.report.curves.CURVES", 30)
    assert "30 of 60 curves are shown: the ten best" in re.sub(r"\s+", " ", Elements(page(collect(paths))).text)


def test_the_data_of_the_drawings(sweeps: dict[str, ReportData]) -> None:
    data = sweeps["some"]
    drawn = json.loads(Elements(page(data)).scripts[1])
    assert drawn["objective"] == {"metric": "val_loss", "mode": "min", "at": "best"}
    assert len(drawn["trials"]["trial"]) == len(drawn["trials"]["cells"]["lr"]) == 60
    assert data.best is not None
    best = data.best.ranked
    number = drawn["best"]
    assert number == best.trial
    place = drawn["trials"]["trial"].index(number)
    assert drawn["trials"]["value"][place] == pytest.approx(best.value, rel=1e-5)
    words = next(axis["words"] for axis in drawn["axes"] if axis["name"] == "optimizer")
    assert words[drawn["trials"]["cells"]["optimizer"][place]] == best.config["optimizer"]
    assert [rung["rung"] for rung in drawn["rungs"]] == [2, 6, 18]
    assert drawn["curves"]["metrics"][0] == "val_loss"
    curve = next(curve for curve in drawn["curves"]["curves"] if curve[0] == number)
    assert len(curve) == 2 + len(drawn["curves"]["metrics"])


def test_metrics_that_appear_late_are_drawn_too(sweeps: dict[str, ReportData]) -> None:
    found = sweeps["old"].curves
    assert found.metrics[0] == sweeps["old"].objective.metric
    late = pd.read_parquet(OLD / "metrics").extra.dropna()
    names = {name for row in late for name, _ in row}
    assert names
    assert names <= set(found.metrics)


def test_made_while_it_runs(sweeps: dict[str, ReportData]) -> None:
    data = sweeps["running"]
    assert any(point.state.value == "running" for point in data.points)
    assert data.timeline.spans
    assert all(T0 <= span.began <= span.ended for span in data.timeline.spans)


@pytest.mark.parametrize("name", ["curves", "parallel", "slices"])
def test_one_drawing_by_itself(name: FigureName, sweeps: dict[str, ReportData]) -> None:
    written = figure(sweeps["some"], name)
    places = [attributes.get("data-figure") for _, attributes in Elements(written).found]
    assert [place for place in places if place] == [name]
    assert is_report(written.encode()[:1024])
    assert "pd.read_parquet" not in written
