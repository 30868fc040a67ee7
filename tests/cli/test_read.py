"""ls, show, best on recorded sweeps, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from orchestrator.control.lease import Lease
from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    record(tmp_path / "results")
    record(tmp_path / "results", halt_after=3)
    return tmp_path / "results"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class TestLs:
    def test_a_line_a_sweep(self, sweep: Sweep, results: Path) -> None:
        lines = sweep("ls").out.splitlines()
        assert lines[0].split() == ["name", "status", "trials", "best", "metric", "age", "trainable", "states"]
        assert lines[1].split()[:5] == ["made-up", "finished", "12", "0.33335", "loss"]
        assert lines[1].endswith("train.py:train  8 stopped, 2 diverged, 2 failed")
        assert lines[2].split()[:5] == ["made-up-2", "halted", "4", "–", "loss"]

    def test_json(self, sweep: Sweep, results: Path) -> None:
        first, second = json.loads(sweep("ls", "--format", "json").out)
        assert first["states"] == {"stopped": 8, "diverged": 2, "failed": 2}
        assert first["best"] == pytest.approx(0.33335, abs=1e-5)
        assert second["best"] is None

    def test_csv(self, sweep: Sweep, results: Path) -> None:
        first, second = rows(sweep("ls", "--format", "csv").out)
        assert (first["name"], first["stopped"], second["cancelled"]) == ("made-up", "8", "1")

    def test_no_sweeps(self, sweep: Sweep) -> None:
        ran = sweep("ls")
        assert (ran.code, ran.out) == (0, "")
        assert "no sweeps in results" in ran.err

    def test_damage_is_a_status(self, sweep: Sweep, results: Path) -> None:
        (results / "made-up" / "trials.parquet").write_bytes(b"PAR1")
        (results / "made-up-2" / "sweep.json").write_text('{"schema": 1}')
        ran = sweep("ls")
        assert ran.code == 0
        assert ran.out.count("damaged") >= 2

    def test_a_sweep_that_runs_and_one_whose_driver_died(self, sweep: Sweep, results: Path) -> None:
        lease = Lease.acquire(results / "made-up" / "lease.json")
        other = results / "made-up-2" / "lease.json"
        held = json.loads(lease._path.read_text())
        other.write_text(json.dumps({**held, "pid": 2**22 + 1}))
        found = json.loads(sweep("ls", "--format", "json").out)
        assert [each["status"] for each in found] == ["running", "died"]
        lease.release()

    def test_the_results_directory_comes_from_the_environment(
        self, sweep: Sweep, results: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir("/")
        monkeypatch.setenv("SWEEP_RESULTS", str(results))
        assert "made-up" in sweep("ls").out


class TestShow:
    def test_golden(self, sweep: Sweep, results: Path) -> None:
        assert sweep("show", "made-up", "--top", 2).out == (
            "made-up  finished  train.py:train, min loss (best of a trial)\n"
            "12 trials: 8 stopped, 2 diverged, 2 failed\n"
            "\n"
            "best: trial 3, loss 0.333352 at step 3\n"
            "  epochs=9 data=data/a.csv lr=1.879e-05 kind=good sizes=[8, 16]\n"
            "\n"
            "trial  state       loss  step  configuration\n"
            "    3  stopped  0.33335     3  lr=1.879e-05 kind=good sizes=[8, 16]\n"
            "    8  stopped   1.0005     1  lr=0.0005018 kind=wild sizes=[8]\n"
            "\n"
            "rung  entered  went on  stopped  diverged   cutoff\n"
            "   1       12        5        7         0   1.0004\n"
            "   3        3        2        1         0  0.33334\n"
            "\n"
            "2 × ValueError at train.py:7  (trials 0, 1)\n"
            "  no good in trial 0\n"
        )

    def test_the_latest_and_why_it_ended(self, sweep: Sweep, results: Path) -> None:
        out = sweep("show").out
        assert out.startswith("made-up-2  halted")
        assert "interrupted by SIGINT" in out

    def test_json_and_csv(self, sweep: Sweep, results: Path) -> None:
        whole = json.loads(sweep("show", "made-up", "--format", "json").out)
        assert whole["top"][0]["config"]["sizes"] == [8, 16]
        assert [rung["entered"] for rung in whole["rungs"]] == [12, 3]
        best = rows(sweep("show", "made-up", "--format", "csv").out)[0]
        assert (best["trial"], best["config.kind"], best["config.sizes"]) == ("3", "good", "[8, 16]")

    def test_failures_by_cause(self, sweep: Sweep, results: Path) -> None:
        out = sweep("show", "made-up", "--failures").out
        assert out.splitlines()[0] == "2 × ValueError at train.py:7  (trials 0, 1)"
        assert '  File "train.py", line 7, in train' in out
        assert json.loads(sweep("show", "made-up", "--failures", "--format", "json").out)[0]["trials"] == [0, 1]

    def test_one_trial(self, sweep: Sweep, results: Path) -> None:
        out = sweep("show", "made-up", "--trial", 0).out
        assert "reason             ValueError: no good" in out
        assert out.endswith("ValueError: no good\n")
        assert json.loads(sweep("show", "made-up", "--trial", 3, "--format", "json").out)["state"] == "stopped"

    @pytest.mark.parametrize("arguments", [("--trial", 99), ("nowhere",), ("m",)])
    def test_what_is_not_there(self, sweep: Sweep, results: Path, arguments: tuple[object, ...]) -> None:
        ran = sweep("show", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: ")


class TestBest:
    def test_yaml_that_every_reader_understands(self, sweep: Sweep, results: Path) -> None:
        ran = sweep("best", "made-up")
        assert ran.err == "# made-up, trial 3: loss 0.333352 at step 3 (min, the best of a trial)\n"
        config = yaml.safe_load(ran.out)  # YAML 1.1
        assert config["lr"] == pytest.approx(1.879e-05, rel=1e-3)
        assert config["sizes"] == [8, 16]
        assert json.loads(sweep("best", "made-up", "--format", "json").out) == config

    def test_there_may_be_none(self, sweep: Sweep, results: Path) -> None:
        ran = sweep("best")
        assert (ran.code, ran.out) == (1, "")
        assert "no trial of made-up-2 has a result yet" in ran.err
