"""What `sweep next` would change stands on the page, with its reasons, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.analysis.next_spec.propose import propose_next
from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import page
from orchestrator.records.provenance import read_sweep_json
from tests.analysis.report.made import HOSTILE, KINDS, SPACE, made
from tests.analysis.report.test_page import Elements


def text_of(written: str) -> str:
    return re.sub(r"\s+", " ", Elements(written).text)


@pytest.mark.parametrize("kind", ["some", "failing"])
def test_it_is_what_sweep_next_changes(kind: str, tmp_path: Path) -> None:
    paths = KINDS[kind](tmp_path)
    data = collect(paths)
    found = propose_next(paths, read_sweep_json(paths.info), tmp_path / "next.yaml")
    assert data.next.changes == found.changes
    assert found.changes
    text = text_of(page(data))
    for change in found.changes:
        assert change.line in text
        assert change.reason[1:] in text
    assert not (tmp_path / "next.yaml").exists()


def test_no_code_of_the_sweep_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("raise SystemExit('it ran')\n")
    assert collect(made(tmp_path / "results", name="code", trials=20)).next.changes


def test_values_in_changes_are_text(tmp_path: Path) -> None:
    space = {**SPACE, "optimizer": {"choice": [HOSTILE, "sgd"]}, "momentum": SPACE["dropout"]}
    written = page(collect(made(tmp_path, name="hostile", trials=40, space=space)))
    assert "<img" not in written


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("hopeless", "No trial of hopeless has a result yet."),
        ("few", "Results are too few"),
        ("listed", "Listed ran a list of configurations, so there is no range to change"),
    ],
)
def test_why_there_are_none(kind: str, said: str, tmp_path: Path) -> None:
    if kind == "few":
        data = collect(made(tmp_path, name="few", trials=5))
        assert all(change.at is not None and change.at[0] == "search" for change in data.next.changes)
        assert "5 results, and 15 are needed to change ranges." in text_of(page(data))
        return
    if kind == "listed":
        search = {"method": "list", "configs": [{"lr": 0.01, "dropout": 0.1, "layers": 2, "batch_size": 64}]}
        data = collect(made(tmp_path, name="listed", trials=1, space={}, search=search, budget={}))
    else:
        data = collect(KINDS[kind](tmp_path))
    assert data.next.changes == ()
    assert said in text_of(page(data))


def test_nothing_before_the_first_trial(tmp_path: Path) -> None:
    assert "sweep next would change" not in page(collect(KINDS["just-started"](tmp_path)))
