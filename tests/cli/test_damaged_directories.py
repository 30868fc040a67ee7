"""Damaged records: `ls` and `show` say what is damaged and go on with the rest, `resume` refuses and names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.cli.app import main
from orchestrator.driver.resume import resume
from orchestrator.errors import DamagedError, RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.verify import verify
from tests.cli.recorded import record
from tests.fuzz.directories import TRAIN, Directories, NoRay

ROOT = Path(__file__).parents[2]
Damage = Callable[[SweepPaths], Path]


@pytest.fixture
def hurt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepPaths:
    """A sweep that was ended early, beside a sound one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_RESULTS", raising=False)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "train.py").write_text(TRAIN)
    record(tmp_path / "results", name="sound")
    return record(tmp_path / "results", name="hurt", halt_after=5, trial={"isolation": "reuse"})


def lost(name: str) -> Damage:
    def damage(paths: SweepPaths) -> Path:
        path = paths.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return path

    return damage


def table(name: str, change: Callable[[pa.Table], pa.Table]) -> Damage:
    def damage(paths: SweepPaths) -> Path:
        path = paths.root / name
        pq.write_table(change(pq.ParquetFile(path).read()), path)
        return path

    return damage


def cell(column: str, row: int, value: Any) -> Callable[[pa.Table], pa.Table]:
    def change(held: pa.Table) -> pa.Table:
        values = held[column].to_pylist()
        values[row] = value
        at = held.schema.get_field_index(column)
        return held.set_column(at, held.schema.field(column), pa.array(values, held.schema.field(column).type))

    return change


def text(name: str, content: str) -> Damage:
    def damage(paths: SweepPaths) -> Path:
        (paths.root / name).write_text(content)
        return paths.root / name

    return damage


def nested(paths: SweepPaths) -> Path:
    """sweep.json within a list, as a careless program would write it."""
    held = json.loads(paths.info.read_text())
    paths.info.write_text(json.dumps(held | {"spec": {"spec": held["spec"]}}))
    return paths.info


LOGS: dict[str, Damage] = {
    "lost metrics": lost("metrics"),
    "lost events": lost("events"),
    "a lost file of events": lost("events/000000.parquet"),
    "a column of metrics": table("metrics/000000.parquet", lambda held: held.drop_columns("step")),
    "a column of events": table("events/000000.parquet", lambda held: held.drop_columns("detail")),
    "text for numbers": table(
        "metrics/000000.parquet", lambda held: held.set_column(6, "loss", held["loss"].cast(pa.string()))
    ),
    "a detail": table("events/000000.parquet", cell("detail", 1, "{")),
    "a configuration": table("events/000000.parquet", cell("detail", 1, '{"config": [1]}')),
    "an empty step": table("metrics/000000.parquet", cell("step", 0, None)),
    "a step twice": table("metrics/000000.parquet", lambda held: pa.concat_tables([held, held.slice(0, 1)])),
    "a lost report": table("metrics/000000.parquet", lambda held: held.slice(0, held.num_rows - 1)),
    "a beginning twice": table("events/000000.parquet", lambda held: pa.concat_tables([held, held.slice(1, 1)])),
}
TABLE: dict[str, Damage] = {
    "a column of trials": table("trials.parquet", lambda held: held.drop_columns("objective")),
    "an unknown state": table("trials.parquet", cell("state", 0, "strange")),
    "another state": table("trials.parquet", cell("state", 0, "diverged")),
    "an empty trial": table("trials.parquet", cell("trial", 0, None)),
    "a negative trial": table("trials.parquet", cell("trial", 0, -5)),
    "a trial twice": table("trials.parquet", lambda held: pa.concat_tables([held.slice(0, 1), held])),
    "another value": table("trials.parquet", cell("objective_best", 0, 0.125)),
}
INFO: dict[str, Damage] = {
    "a nested sweep.json": nested,
    "deep JSON": text("sweep.json", "[" * 100_000),
    "a list": text("sweep.json", "[]"),
    "a remote.json": text("remote.json", '{"jobs": 7}'),
}


@pytest.mark.parametrize("damage", {**LOGS, **TABLE, **INFO})
def test_one_damaged_sweep_hides_no_other(hurt: SweepPaths, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = {**LOGS, **TABLE, **INFO}[damage](hurt)
    assert main(["ls"]) == 0
    out, err = capfd.readouterr()
    assert "sound" in out
    assert "hurt" in out
    assert "Traceback" not in out + err
    if damage in INFO:
        assert f"{path.name} is damaged" in out
    assert main(["ls", "--json"]) == 0
    assert [each["name"] for each in json.loads(capfd.readouterr().out)].count("hurt") == 1


@pytest.mark.parametrize("pid", ["x", -5, 0, 2**70, None, [1], {"pid": 1}])
def test_a_lease_of_nobody_hides_no_sweep(hurt: SweepPaths, pid: Any, capfd: pytest.CaptureFixture[str]) -> None:
    lease = {"host": "h", "place": "p", "pid": pid, "process_started": 1.0, "started": 1.0, "counter": 0}
    hurt.lease.write_text(json.dumps(lease))
    assert main(["ls"]) == 0
    assert main(["show", "hurt"]) == 0
    out, err = capfd.readouterr()
    assert "sound" in out
    assert "running?" in out
    assert "error" not in err


@pytest.mark.parametrize("damage", ["lost events", "a column of events"])
def test_show_goes_on_with_the_rest(hurt: SweepPaths, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "hurt"]) == 0
    whole = capfd.readouterr().out
    LOGS[damage](hurt)
    assert main(["show", "hurt"]) == 1
    out, err = capfd.readouterr()
    best = next(line for line in whole.splitlines() if line.startswith("best: trial"))
    assert best in out
    assert "events" in err
    assert main(["show", "hurt", "--json"]) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["damage"]
    assert json.loads(err.splitlines()[-1])["error"]["code"] == "records-damaged"


@pytest.mark.parametrize("damage", {**LOGS, **TABLE})
def test_resume_refuses_what_it_cannot_vouch_for(hurt: SweepPaths, damage: str) -> None:
    path = {**LOGS, **TABLE}[damage](hurt)
    before = {file: file.read_bytes() for file in hurt.root.rglob("*") if file.is_file() and "lease" not in file.name}
    with pytest.raises(DamagedError) as error:
        resume(hurt, engine=NoRay())
    assert str(path.parent if path.parent.name in ("metrics", "events") else path) in str(error.value)
    assert "sweep verify hurt" in str(error.value)
    after = {file: file.read_bytes() for file in hurt.root.rglob("*") if file.is_file() and "lease" not in file.name}
    assert after == before


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '[{"sweep": 1}]', "7", '[{"sweep": "a", "comparable": true, "trials": 7}]']
)
def test_what_was_taken_from_earlier_sweeps_may_be_damaged(hurt: SweepPaths, content: str) -> None:
    hurt.earlier.write_text(content)
    with pytest.raises(RecordsError, match=r"earlier\.json"):
        resume(hurt, engine=NoRay())


@pytest.mark.parametrize("root", ["results/churn-example", "tests/records/schema_v1"])
def test_sound_records_are_sound(root: str) -> None:
    found = verify(SweepPaths(ROOT / root))
    assert found.problems == ()
    assert found.trials > 0


@pytest.mark.long
def test_what_random_damage_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few inputs of `make fuzz`."""
    monkeypatch.chdir(tmp_path)
    target = Directories(tmp_path / "fuzz")
    for seed in range(4):
        target.attempt(Random(seed))


def test_a_failure_without_its_error_is_reported(hurt: SweepPaths, capfd: pytest.CaptureFixture[str]) -> None:
    without = [f"error_{name}" for name in ("type", "message", "traceback", "fingerprint")]

    def change(held: pa.Table) -> pa.Table:
        failed = pa.array(["failed", *held["state"].to_pylist()[1:]], held.schema.field("state").type)
        held = held.set_column(held.schema.names.index("state"), "state", failed)
        for name in without:
            kind = held.schema.field(name).type
            held = held.set_column(held.schema.names.index(name), name, pa.nulls(held.num_rows, kind))
        return held

    table("trials.parquet", change)(hurt)
    for words in ("report hurt --output report.html", "show hurt --failures", "show hurt --diagnosis"):
        assert main(words.split()) == 0, capfd.readouterr().err


def test_simulate_says_that_the_reports_are_lost(hurt: SweepPaths, capsys: pytest.CaptureFixture[str]) -> None:
    lost("metrics")(hurt)
    assert main(["simulate", "hurt", "--set", "search.method=random"]) == 1
    assert "metrics is damaged: it has no column loss, the objective" in capsys.readouterr().err
