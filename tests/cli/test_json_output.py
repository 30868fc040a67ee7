"""JSON for programs: what is asked for, what may come to stdout, and errors as the last line of stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import json_output
from orchestrator.errors import SweepError

SPEC = """\
trainable: linear
objective: {metric: loss, mode: min}
space:
  lr: {loguniform: [1e-4, 1e-1]}
budget: {trials: 3}
"""


def error_of(err: str) -> dict:
    return json.loads(err.splitlines()[-1])["error"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["ls", "--json"], True),
        (["ls", "--format", "json"], True),
        (["ls", "--format=json"], True),
        (["ls", "--format", "csv"], False),
        (["ls", "--json", "--format", "csv"], False),  # the last one holds
        (["ls", "--format", "csv", "--json"], True),
        (["logs", "--", "--json"], False),
        (["plan", "--json", "--help"], False),
        ([], False),
    ],
)
def test_what_is_asked_for_is_seen_before_parsing(words, asked):
    assert json_output.asked_for(words) is asked


@pytest.mark.parametrize(
    ("words", "place", "suggestion"),
    [
        (["check", "--jsno", "--json"], "--jsno", None),
        (["check", "spec.yaml", "--trails", "3", "--json"], "--trails", "--trials"),
        (["check", "spec.yaml", "--trials", "x", "--json"], "--trials", None),
        (["compare", "--json"], "sweeps", None),
        (["chekc", "--json"], None, None),
        (["ls", "too", "many", "--json"], None, None),
    ],
)
def test_a_wrong_command_line_is_an_error_in_json(sweep, words, place, suggestion):
    ran = sweep(*words)
    found = error_of(ran.err)
    assert (ran.code, ran.out, found["code"], found["exit_code"]) == (2, "", "usage", 2)
    assert found["place"] == place
    assert suggestion is None or (found["suggestion"] == suggestion and suggestion in found["choices"])


def test_every_mistake_of_a_spec_is_a_value(sweep):
    Path("spec.yaml").write_text(SPEC.replace("trials", "trails").replace("metric: loss", "metric: los"))
    ran = sweep("check", "spec.yaml", "--set", "search.seed=-1", "--json")
    found = error_of(ran.err)
    assert (ran.code, ran.out, found["code"]) == (2, "", "spec-invalid")
    by_key = {each["key"]: each for each in found["mistakes"]}
    assert by_key["budget.trails"] == {
        "path": "spec.yaml",
        "line": 5,
        "column": 10,
        "option": None,
        "key": "budget.trails",
        "value": 3,
        "message": "unknown key 'trails'",
        "allowed": "one of: trials, hours, gpu_hours, target, patience, min_gain, max_failures",
        "choices": ["trials", "hours", "gpu_hours", "target", "patience", "min_gain", "max_failures"],
        "suggestion": "trials",
    }
    assert by_key["objective.metric"]["suggestion"] == "loss"
    assert (by_key["search.seed"]["option"], by_key["search.seed"]["value"]) == ("--set search.seed", -1)


def test_an_error_that_nobody_foresaw_has_its_traceback(sweep, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("orchestrator.records.find.find_all", fail)
    ran = sweep("ls", "--json")
    found = error_of(ran.err)
    assert (ran.code, ran.out, found["code"]) == (1, "", "internal-error")
    assert found["message"] == "ZeroDivisionError: by zero"
    assert "ZeroDivisionError" in found["traceback"]


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SweepError("no"), 1)])
def test_the_exit_code_is_that_of_the_error(sweep, monkeypatch, error, code):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("orchestrator.records.find.find_all", fail)
    ran = sweep("ls", "--json")
    assert (ran.code, error_of(ran.err)["exit_code"]) == (code, code)


def test_numbers_that_json_lacks_are_null():
    assert json.loads(json_output.line({"a": [float("nan"), (float("-inf"), 1.5)]})) == {"a": [None, [None, 1.5]]}


def test_what_a_trainable_prints_on_import_does_not_reach_stdout(tmp_path):
    (tmp_path / "train.py").write_text(
        "import os\nprint('hello')\nos.system('echo from a process')\ndef train(config, trial): pass\n"
    )
    (tmp_path / "spec.yaml").write_text(SPEC.replace("linear", "train.py:train"))
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator", "check", "spec.yaml", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout)["ok"] is True
    assert "hello" in ran.stderr
    assert "from a process" in ran.stderr


def test_after_a_command_stdout_is_as_before(sweep, capfd):
    sweep("ls", "--json")
    print("python")
    os.write(1, b"descriptor\n")
    assert sorted(capfd.readouterr().out.split()) == ["descriptor", "python"]
