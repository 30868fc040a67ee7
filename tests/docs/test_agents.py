"""docs/agents.md is a contract: its tables are JSON Schemas here, and what commands print is held against them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orchestrator.cli import json_output, requests
from orchestrator.cli.views import doctor
from orchestrator.core.rows import Config
from orchestrator.records.find import find
from tests.cli.conftest import Ran, sweep
from tests.cli.recorded import record

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text()
Schema = dict[str, Any]
Sweep = Callable[..., Ran]
__all__ = ["sweep"]

SPEC = """\
trainable: linear
objective: {metric: loss, mode: min}
space:
  lr: {loguniform: [1e-5, 1e-3]}
fixed: {epochs: 20}
budget: {trials: 6}
"""
RANGE = {
    "type": "object",
    "properties": {name: {"type": "number"} for name in ("low", "middle", "high")},
    "required": ["low", "middle", "high"],
    "additionalProperties": False,
}
TYPES: dict[str, Schema] = {
    **{name: {"type": name} for name in ("string", "integer", "number", "boolean", "object", "array", "null")},
    **{f"array of {name}": {"type": "array", "items": {"type": name}} for name in ("string", "integer", "number")},
    "any": {},
    "range": RANGE,
}


def tables() -> dict[str, list[tuple[str, str]]]:
    """The rows of each table: key and type, by the heading above it."""
    found: dict[str, list[tuple[str, str]]] = {}
    heading = ""
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif row := re.fullmatch(r"\| `([^`]+)` \| ([a-z ]+) \|.*", line):
            found.setdefault(heading, []).append((row[1], row[2]))
    return found


def schema_of(rows: list[tuple[str, str]]) -> Schema:
    """Every key that is listed is there, and no other."""
    root: Schema = {"type": "array"} if rows[0][0].startswith("[]") else {"type": "object"}
    for path, words in rows:
        at = root
        for part in re.findall(r"\[\]|[^.\[\]]+", path):
            if part == "[]":
                at = at.setdefault("items", {"type": "object"})
            else:
                at.setdefault("additionalProperties", False)
                at.setdefault("required", [])
                at["required"] += [part] if part not in at["required"] else []
                at = at.setdefault("properties", {}).setdefault(part, {"type": "object"})
        *first, last = words.split(" or ")
        at.pop("type", None)
        at.update(TYPES[first[0] if first else last])
        if first:
            assert last == "null"
            at["nullable"] = True
    return _resolved(root)


def _resolved(schema: Schema) -> Schema:
    schema = {**schema}
    if "properties" in schema:
        schema["properties"] = {name: _resolved(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = _resolved(schema["items"])
    return {"anyOf": [schema, {"type": "null"}]} if schema.pop("nullable", False) else schema


SCHEMAS = {heading: schema_of(rows) for heading, rows in tables().items()}
seen: set[str] = set()


def check(heading: str, value: Any) -> Any:
    """Hold a document against its table."""
    seen.add(heading)
    errors = Draft202012Validator(SCHEMAS[heading]).iter_errors(value)
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []
    return value


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.fixture
def made_up(sweep: Sweep, tmp_path: Path) -> Sweep:
    """A sweep that was recorded, without Ray, in which trials have failed."""
    record(tmp_path / "results", name="first")
    record(tmp_path / "results", name="other", search={"seed": 3})
    return sweep


@pytest.mark.parametrize(
    ("words", "heading"),
    [
        (["show", "first"], "sweep show"),
        (["show", "first", "--diagnosis"], "sweep show --diagnosis"),
        (["show", "first", "--failures"], "sweep show --failures"),
        (["show", "first", "--importance"], "sweep show --importance"),
        (["show", "first", "--ledger"], "sweep show --ledger"),
        (["show", "first", "--events"], "sweep show --events"),
        (["show", "first", "--repeats"], "sweep show --repeats"),
        (["ls"], "sweep ls"),
        (["compare", "first", "other"], "sweep compare"),
        (["clean", "--dry-run"], "sweep clean"),
        (["verify", "first"], "sweep verify"),
        (["export", "first", "--to", "csv"], "sweep export"),
        (["report", "first"], "sweep report"),
        (["next", "first", "-o", "next.yaml"], "sweep next"),
        (["simulate", "first", "--workers", "4", "--seeds", "2"], "sweep simulate"),
    ],
)
def test_what_is_read_from_records(made_up: Sweep, words: list[str], heading: str) -> None:
    found = check(heading, document(made_up(*words, "--json")))
    if words[0] in ("ls", "show", "compare", "clean"):
        assert found == document(made_up(*words, "--format", "json"))


def test_a_sweep_with_results_enough_for_an_outlook(sweep: Sweep, tmp_path: Path) -> None:
    record(tmp_path / "results", name="long", budget={"trials": 60})
    assert len(check("sweep show", document(sweep("show", "long", "--json")))["outlook"]) == 3


def test_views_that_are_asked_for_together(made_up: Sweep) -> None:
    found = document(made_up("show", "first", "--failures", "--events", "--json"))
    assert check("sweep show --failures", found["failures"])
    assert check("sweep show --events", found["events"])


def test_a_spec_before_it_runs(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    check("sweep check", document(sweep("check", "spec.yaml", "--json")))
    check("sweep plan", document(sweep("plan", "spec.yaml", "--json")))
    timed = check("sweep plan", document(sweep("plan", "spec.yaml", "--step-seconds", "1", "--json")))
    assert (timed["forecast"]["unit"], timed["forecast"]["step_s"]["low"]) == ("seconds", 1)
    check("sweep simulate", document(sweep("simulate", "spec.yaml", "--step-seconds", "1", "--json")))
    imagined = check("sweep plan", document(sweep("plan", "spec.yaml", "--gpus", "16", "--cpus", "8", "--json")))
    assert [node["imagined"] for node in imagined["nodes"]] == [True, True]
    check("sweep init", document(sweep("init", "new", "--json")))


def test_one_trial_in_this_process(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    ran = sweep("try", "spec.yaml", "--steps", "3", "--json")
    assert ran.code == 0, ran.err
    events = [check_event(json.loads(line)) for line in ran.out.splitlines()]
    assert [each["event"] for each in events] == ["trial-started", "report", "report", "report", "trial-ended"]


def test_a_trial_that_fails_is_told_and_an_error(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(config, trial):\n    print('hello')\n    raise OSError('gone')\n")
    (tmp_path / "spec.yaml").write_text(SPEC.replace("linear", "train.py:train"))
    ran = sweep("try", "spec.yaml", "--json")
    assert check_event(json.loads(ran.out.splitlines()[-1]))["state"] == "failed"
    found = check("Errors", json.loads(ran.err.splitlines()[-1])["error"])
    assert (ran.code, found["code"]) == (1, "trials-failed")


def test_errors(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.replace("trials", "trails"))
    for words in (["check", "spec.yaml"], ["check", "none.yaml"], ["show", "none"], ["ls", "--jsonn"], ["nothing"]):
        ran = sweep(*words, "--json")
        assert (ran.code, ran.out) == (2, "")
        check("Errors", json.loads(ran.err.splitlines()[-1])["error"])


def test_the_machine(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {doctor.TORCH: {"gpus": 0, "names": []}, doctor.RAY: {"start_s": 3.0, "task_s": 1.0}}
    monkeypatch.setattr(
        doctor, "_probe", lambda code: subprocess.CompletedProcess([], 0, stdout=json.dumps(answers[code]), stderr="")
    )
    ran = sweep("doctor", "--json")
    found = check("sweep doctor", json.loads(ran.out))
    assert ran.code == (0 if found["ok"] else 1)
    assert next(each for each in found["findings"] if each["subject"] == "cpus")["numbers"]["cpus"] >= 1


def test_requests_to_a_running_sweep(made_up: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose driver does at once what it is asked."""

    def recorded(paths: Any, space: Any, config: Config) -> int:
        return 12

    monkeypatch.setattr(requests, "_check_running", lambda paths: None)
    monkeypatch.setattr(requests, "_ask", lambda paths, request: None)
    monkeypatch.setattr(requests, "_running", lambda paths: [3])
    monkeypatch.setattr(requests, "_recorded", recorded)
    assert check("sweep stop", document(made_up("stop", "first", "--json")))["stopped"] == "sweep"
    assert check("sweep stop", document(made_up("stop", "first", "--trial", "3", "--json")))["trial"] == 3
    added = document(
        made_up("add", "first", "--concurrency", "2", "--config", "{lr: 0.07, kind: good, sizes: [8]}", "--json")
    )
    assert check("sweep add", added)["trials"] == [{"trial": 12, "config": {"lr": 0.07, "kind": "good", "sizes": [8]}}]


@pytest.mark.long
def test_a_sweep_from_launch_to_confirm(tmp_path: Path) -> None:
    """With Ray: every line of stdout is an event, and the last one sums up."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    events = run(tmp_path, "launch", "spec.yaml", "--name", "tiny")
    kinds = [each["event"] for each in events]
    assert (kinds[0], kinds[-1]) == ("started", "summary")
    assert kinds.count("trial-started") == kinds.count("trial-ended") == 6
    assert Path(events[0]["directory"]) == tmp_path / "results" / "tiny"
    again = run(tmp_path, "confirm", "tiny", "--top", "1", "--seeds", "2")
    assert [each["event"] for each in again][-2:] == ["summary", "confirmed"]
    check("sweep show --repeats", again[-1]["repeats"])
    paths = find(tmp_path / "results", "tiny")
    assert events[-1]["top"][0]["value"] == pytest.approx(min(each["value"] for each in events[-1]["top"]))
    assert paths.name == events[-1]["name"]


def run(place: Path, *words: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words, "--json"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    return [check_event(each) for each in events]


def check_event(event: dict[str, Any]) -> dict[str, Any]:
    facts = {name: value for name, value in event.items() if name not in ("event", "at")}
    check("sweep show" if event["event"] == "summary" else f"event {event['event']}", facts)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["at"])
    return event


def test_events_that_are_rare(capfd: pytest.CaptureFixture[str]) -> None:
    """As the code prints them; tests/cli/test_json_events.py has when."""
    from orchestrator.cli.live.json_lines import JsonLines
    from orchestrator.cli.live.progress import Progress
    from orchestrator.core.build import build_sweep
    from tests.cli.recorded import T0, spec

    made = build_sweep(spec(), None)
    observer = JsonLines(Progress.of(made, slots=lambda: 1))
    observer._next = 0.0
    made.journal.note(T0, "note", "something")
    observer.show(made, T0)
    observer.trouble("the records", "no space")
    json_output.event("submitted", sweep="s", place="slurm", job="1", directory="/s", status="PENDING")
    for line in capfd.readouterr().out.splitlines():
        check_event(json.loads(line))
    assert {"event note", "event progress", "event trouble", "event submitted"} <= seen


def test_a_configuration_with_several_seeds(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    found = check("sweep try --noise", document(sweep("try", "spec.yaml", "--noise", "--json")))
    assert len(found["trainings"]) == 2


def test_a_configuration_at_growing_learning_rates(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import torch\n"
        "from trainables.supervised import Task, Tensors, fit\n"
        "def train(config, trial):\n"
        "    data = Tensors(inputs=torch.arange(64.0)[:, None] / 32 - 1, targets=torch.arange(64.0) / 32)\n"
        "    fit(config, trial, build=lambda _: torch.nn.Linear(1, 1), task=Task(name='regression'), train=data,"
        " validation=data)\n"
    )
    (tmp_path / "spec.yaml").write_text(
        "trainable: train.py:train\nfixed: {batch_size: 8}\n"
        "space: {lr: {loguniform: [1e-3, 1]}}\nobjective: {metric: val_loss}\n"
    )
    found = check("sweep try --lr-range", document(sweep("try", "spec.yaml", "--lr-range", "--json")))
    assert found["suggested"]["low"] < found["suggested"]["high"]


def test_a_configuration_on_shares_of_the_data(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "from trainables.declaration import Hyperparameter, declare\n"
        "@declare(Hyperparameter(name='lr', type=float, default=0.1, meaning='rate'),"
        " Hyperparameter(name='data_fraction', type=float, default=1.0, meaning='of the data'))\n"
        "def train(config, trial):\n"
        "    for step in range(1, 11):\n"
        "        trial.report(step=step, loss=1 / step + 1 - config['data_fraction'])\n"
    )
    (tmp_path / "spec.yaml").write_text(SPEC.replace("linear", "train.py:train").replace("fixed: {epochs: 20}\n", ""))
    ran = sweep("try", "spec.yaml", "--data-fractions", "0.5,1", "--json")
    found = check("sweep try --data-fractions", document(ran))
    assert [each["fraction"] for each in found["fractions"]] == [0.5, 1]
