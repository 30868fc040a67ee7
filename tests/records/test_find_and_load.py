"""Creates, finds and loads sweeps; provenance has no secrets; imports stay light."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.errors import NoSuchSweepError, RecordsError, UserError
from orchestrator.records.find import find, find_sweeps
from orchestrator.records.load import events_table, load, metrics_table, trials_table
from orchestrator.records.masking import masked
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import (
    DIFF_BYTES,
    SweepInfo,
    collect,
    git_state,
    read_sweep_json,
    write_sweep_json,
)
from orchestrator.records.recorder import Recorder
from orchestrator.spec import parse_spec

INFO = SweepInfo(
    schema=1,
    name="churn",
    created="2026-01-01T00:00:00+00:00",
    seed=0,
    trainable="tabular",
    engine="local",
    spec=parse_spec(
        {
            "trainable": "linear",
            "space": {"lr": {"loguniform": [1e-4, 1e-1]}},
            "objective": {"metric": "loss", "mode": "min"},
            "budget": {"trials": 1},
        },
        base=Path(),
    ).to_plain(),
    command=["sweep", "run", "churn.yaml"],
    directory="/home/user",
    host="here",
    python="3.11.7",
    versions={"pyarrow": "26.0.1"},
    git=None,
    fingerprints={},
    resumed=[],
)


def make(results: Path, name: str, created: str = INFO.created) -> SweepPaths:
    paths = claim(results, name)
    write_sweep_json(paths.info, replace(INFO, name=paths.name, created=created))
    return paths


# --- claim


def test_a_name_that_exists_is_counted_up(tmp_path: Path) -> None:
    assert [claim(tmp_path / "a" / "results", "churn").name for _ in range(3)] == [
        "churn",
        "churn-2",
        "churn-3",
    ]


def _claim(results: Path, count: int) -> list[str]:
    return [claim(results, "churn").name for _ in range(count)]


def test_processes_that_race_get_names_of_their_own(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        names = [name for some in pool.starmap(_claim, [(tmp_path, 20)] * 2) for name in some]
    assert len(set(names)) == 40


def test_results_that_are_a_file_or_not_ours_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").touch()
    for results in (tmp_path / "results", tmp_path / "results" / "deeper"):
        with pytest.raises(RecordsError, match=r"is not a directory.*move it away or choose another"):
            claim(results, "churn")

    def refuse(*arguments: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")  # root, as in CI, is refused nothing

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RecordsError, match=r"Permission denied. Choose a writable directory"):
        claim(tmp_path, "churn")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "lr=0.1", "a*", "a b", "-x"])
def test_names_that_readers_would_stumble_over_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="is not a valid sweep name"):
        claim(tmp_path, name)


# --- find


def test_sweeps_are_found_by_name_by_beginning_and_by_age(tmp_path: Path) -> None:
    for name, day in (("vision", 3), ("churn", 1), ("churn", 2)):
        make(tmp_path, name, f"2026-01-0{day}T00:00:00+00:00")
    (tmp_path / "README.md").touch()
    (tmp_path / "no-sweep").mkdir()
    assert [sweep.name for sweep in find_sweeps(tmp_path)] == ["churn", "churn-2", "vision"]
    assert find(tmp_path).name == "vision"
    assert find(tmp_path, "churn").name == "churn"
    assert find(tmp_path, "vis").name == "vision"
    with pytest.raises(NoSuchSweepError, match=r"2 sweeps in .* start with 'chu'; the latest: churn, churn-2"):
        find(tmp_path, "chu")
    with pytest.raises(NoSuchSweepError, match=r"no sweep 'chrun' in .*; did you mean churn"):
        find(tmp_path, "chrun")
    assert find_sweeps(tmp_path / "nowhere") == []
    with pytest.raises(NoSuchSweepError, match="there are no sweeps"):
        find(tmp_path / "nowhere")


def test_a_hundred_sweeps_are_listed_in_a_blink(tmp_path: Path) -> None:
    for number in range(100):
        make(tmp_path, f"sweep{number}")
    began = time.perf_counter()
    assert len(find_sweeps(tmp_path)) == 100
    assert time.perf_counter() - began < 0.2


# --- load


def test_tables_are_there_before_the_first_write(tmp_path: Path) -> None:
    sweep = load(make(tmp_path, "churn").root)
    assert (len(sweep.trials), len(sweep.metrics), len(sweep.events)) == (0, 0, 0)
    assert {"trial", "state", "objective"} <= set(sweep.trials.columns)
    assert trials_table(sweep.paths, ["state"]).schema.names == ["state"]
    assert events_table(sweep.paths, ["event"]).schema.names == ["event"]
    assert repr(sweep).startswith("<Sweep churn in")


def test_a_sweep_is_what_plain_pandas_reads(tmp_path: Path) -> None:
    paths = make(tmp_path, "churn")
    with Recorder(paths, sweep="churn", parameters={"lr": "float", "layers": "int"}) as recorder:
        recorder.trial(TrialRow(trial=0, state=State.COMPLETED, config={"lr": 0.1, "layers": 2}))
        recorder.trial(TrialRow(trial=1, state=State.RUNNING, config={"lr": 0.2}))
        recorder.metrics(
            [MetricRow(trial=0, attempt=1, step=1, train_s=0.1, reported_at=1.0, metrics={"val_loss": 0.5})]
        )
        recorder.events([EventRow(at=1.0, event="running", trial=0)])
    sweep = load(str(paths.root))
    pd.testing.assert_frame_equal(sweep.trials, pd.read_parquet(paths.trials_table))
    pd.testing.assert_frame_equal(sweep.metrics, pd.read_parquet(paths.metrics).drop(columns="extra"))
    pd.testing.assert_frame_equal(sweep.events, pd.read_parquet(paths.events))
    assert sweep.trials["state"].tolist() == ["completed", "running"]
    assert str(sweep.trials["seed"].dtype) == "int64"
    assert (sweep.name, sweep.spec) == ("churn", INFO.spec)
    assert "2 trials (1 completed, 1 running), 1 reports" in repr(sweep)
    nullable = pd.read_parquet(paths.trials_table, dtype_backend="numpy_nullable")
    assert str(nullable["config.layers"].dtype) == "Int64"


def test_a_sweep_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    make(tmp_path, "churn")
    with pytest.raises(NoSuchSweepError, match="did you mean churn"):
        load(tmp_path / "chern")


def test_a_damaged_table_is_a_sentence(tmp_path: Path) -> None:
    paths = make(tmp_path, "churn")
    paths.trials_table.write_bytes(b"PAR1")
    with pytest.raises(RecordsError, match=r"cannot read .*trials.parquet: damaged"):
        trials_table(paths)
    paths.metrics.mkdir()
    (paths.metrics / "stray.csv").touch()
    with pytest.raises(RecordsError, match="does not belong to the log"):
        metrics_table(paths)


# --- provenance


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.mark.parametrize(
    "name",
    [".netrc", "a/.npmrc", "id_rsa", ".aws/config", "auth_token", "k.P12", ".env.local", "b/x.pem", "my_secret.txt"],
)
def test_the_diff_has_no_file_that_holds_secrets(tmp_path: Path, name: str) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@e.org"]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    for content in ("x = 1\n", "x = 2  # planted\n"):
        (tmp_path / name).write_text(content)
        (tmp_path / "train.py").write_text(content)
        if content == "x = 1\n":
            for words in (["init", "-q"], ["add", "-f", "."], ["commit", "-qm", "first"]):
                subprocess.run([*git, *words], check=True)
    state = git_state(tmp_path)
    assert state is not None
    assert state.diff.count("planted") == 1
    assert name not in state.diff


def test_secrets_in_a_diff_are_masked_and_code_is_not() -> None:
    for secret in ("ghp_" + "a1B2" * 9, "AKIA" + "A7" * 8, "q9Zr+T4vXw/8LmN2bKc7YdHs5Jf0", "deadbeef" * 5):
        assert secret not in masked(f"+url = f('{secret}')")
    assert masked('+password = "hunter2"') == '+password = "[masked]"'
    code = Path(__file__).read_text().split("def test_secrets_in_a_diff")[0]
    assert masked(code) == code


def test_git_state_has_commit_diff_and_no_keys(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "-b", "main")
    for name in ("train.py", ".env", "deploy.pem"):
        (tmp_path / name).write_text("old\n")
    git(tmp_path, "add", "-A")
    state = git_state(tmp_path)
    assert state is not None
    assert (state.commit, state.branch, "+old" in state.diff) == (None, "main", True)
    git(tmp_path, "commit", "-m", "one")
    for name in ("train.py", ".env", "deploy.pem"):
        (tmp_path / name).write_text("password\n")
    (tmp_path / "new.py").touch()
    (tmp_path / "inside").mkdir()
    state = git_state(tmp_path / "inside")
    assert state is not None
    assert state.commit is not None
    assert len(state.commit) == 40
    assert state.diff.count("+password") == 1
    assert (state.untracked, state.diff_cut) == (1, False)
    (tmp_path / "train.py").write_text("x" * 2 * DIFF_BYTES)
    state = git_state(tmp_path)
    assert state is not None
    assert (len(state.diff), state.diff_cut) == (DIFF_BYTES, True)


def test_sweep_json_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2")
    info = collect(
        name="churn",
        seed=1,
        trainable="tabular",
        spec=INFO.spec,
        command=["sweep"],
        directory=Path(__file__).parent,
    )
    write_sweep_json(tmp_path / "sweep.json", info)
    assert read_sweep_json(tmp_path / "sweep.json") == info
    assert "pyarrow" in info.versions
    assert "hunter2" not in (tmp_path / "sweep.json").read_text()


def test_a_newer_damaged_or_incomplete_sweep_json_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    write_sweep_json(path, INFO)
    held = json.loads(path.read_text())
    for spoiled, sentence in [
        (json.dumps(held | {"schema": 2}), "has schema version 2, but this program reads up to 1: install"),
        (json.dumps({"schema": 1}), "is damaged: spec: field required"),
        ("[]", "is damaged"),
        ("{", "is damaged"),
    ]:
        path.write_text(spoiled)
        with pytest.raises(RecordsError, match=sentence):
            read_sweep_json(path)
    path.write_text(json.dumps(held | {"added_later": 1}))
    assert read_sweep_json(path) == INFO


# --- imports


@pytest.mark.parametrize(
    ("work", "unwanted"),
    [
        (
            "import orchestrator.records.find, orchestrator.control.lease",
            {"pyarrow", "pandas", "ray", "torch"},
        ),
        (
            "from orchestrator.records.load import load; s = load({root!r}); repr(s);"
            "from orchestrator.records.load import *; metrics_table(s.paths); events_table(s.paths)",
            {"pandas", "ray", "torch"},
        ),
        ("import orchestrator.records.recorder", {"pandas", "ray", "torch"}),
    ],
)
def test_imports_stay_light(tmp_path: Path, work: str, unwanted: set[str]) -> None:
    paths = make(tmp_path, "churn")
    Recorder(paths, sweep="churn", parameters={}).close()
    code = work.format(root=str(paths.root)) + "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not unwanted & set(run.stdout.split())
