"""What `sweep show` shows beside the whole: of the sweep in the repository, which is a real one."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analysis.report.made import made
from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]
RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.fixture
def show(sweep: Sweep) -> Sweep:
    """`sweep show churn-example` with these options."""
    return lambda *options: sweep("show", "churn-example", "--results", RESULTS, *options)


class TestImportance:
    def test_a_bar_a_parameter(self, show: Sweep) -> None:
        lines = show("--importance").out.splitlines()
        assert lines[:2] == [
            "churn-example: what matters for val_auroc",
            "60 of 60 trials, compared at step 2, which most reached.",
        ]
        bars = {line.split()[0]: line for line in lines if "█" in line or "─" in line}
        assert next(iter(bars)) == "lr"
        assert bars["lr"].count("█") > 3 * bars["weight_decay"].count("█") > 0
        assert re.search(r"of the \d+ trials that have it$", bars["momentum"])

    def test_for_programs(self, show: Sweep) -> None:
        data = json.loads(show("--importance", "--format", "json").out)
        assert (data["step"], data["trials"], data["silent"]) == (2, 60, {})
        assert data["weights"][0]["parameter"] == "lr"
        rows = list(csv.DictReader(io.StringIO(show("--importance", "--format", "csv").out)))
        assert [row["parameter"] for row in rows] == [weight["parameter"] for weight in data["weights"]]


class TestSeveral:
    def test_one_below_the_other_or_by_name(self, show: Sweep) -> None:
        out = show("--failures", "--trial", 3).out
        assert "\n\nno trial of churn-example has failed\n" in out
        data = json.loads(show("--failures", "--trial", 3, "--format", "json").out)
        assert (data["failures"], data["trial"]["trial"]) == ([], 3)

    def test_csv_holds_one_table(self, show: Sweep) -> None:
        ran = show("--failures", "--trial", 3, "--format", "csv")
        assert (ran.code, ran.out) == (2, "")
        assert "CSV holds one" in ran.err


class TestLedger:
    def test_a_part_a_line(self, show: Sweep) -> None:
        lines = show("--ledger").out.splitlines()
        amounts = {name: float(found) for name, found in (re.split(r" {2,}", line)[:2] for line in lines[2:8])}
        assert lines[0] == "churn-example: where its slot-seconds went"
        assert sum(amounts.values()) - amounts["total"] == pytest.approx(amounts["total"], abs=0.3)
        assert re.fullmatch(r"Early stopping saved about \S+ of \S+ slot-seconds of training \(\d+%\),", lines[-2])

    def test_for_programs(self, show: Sweep) -> None:
        data = json.loads(show("--ledger", "--format", "json").out)
        assert sum(data["seconds"].values()) == data["total"]
        rows = list(csv.DictReader(io.StringIO(show("--ledger", "--format", "csv").out)))
        assert {row["part"]: float(row["seconds"]) for row in rows} == data["seconds"]


class TestEvents:
    def test_the_newest_a_line_each_under_its_day(self, show: Sweep) -> None:
        lines = show("--events").out.splitlines()
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", lines[0])
        assert len(lines) == 21
        assert all(re.match(r"\d\d:\d\d:\d\d  trial \d+", line) for line in lines[1:])
        assert show("--events", "--top", 3).out.splitlines()[1:] == lines[-3:]

    def test_for_programs(self, show: Sweep) -> None:
        events = json.loads(show("--events", "--top", 3, "--format", "json").out)
        assert [event["event"] for event in events][-1] in ("completed", "stopped")
        rows = list(csv.DictReader(io.StringIO(show("--events", "--top", 3, "--format", "csv").out)))
        assert [row["at"] for row in rows] == [event["at"] for event in events]

    def test_nothing_has_happened(self, sweep: Sweep, tmp_path: Path) -> None:
        made(tmp_path / "results", name="new", trials=0)
        assert sweep("show", "new", "--events").out == "new has no events yet\n"
