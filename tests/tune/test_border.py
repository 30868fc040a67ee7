"""Sweeps through real Ray Tune: what a trainable may do, and what is recorded."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.engine import Present
from cluster.inventory import nodes, this_machine
from orchestrator.driver.launch import launch
from orchestrator.errors import SweepError, TrainableError
from orchestrator.records.load import load
from orchestrator.spec import parse_spec
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function
from tests.tune.conftest import CPUS

pytestmark = pytest.mark.timeout(180)


def test_every_trial_and_every_report_is_recorded(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        def train(config, trial):
            for step in range(1, 6):
                trial.report(step=step, loss=config["x"] / step, other=1.0)
        """,
        budget={"trials": 8},
    )
    assert sweep_of.error is None
    assert sweep.trials["state"].tolist() == ["completed"] * 8
    assert sorted(zip(sweep.metrics["trial"], sweep.metrics["step"], strict=True)) == [
        (trial, step) for trial in range(8) for step in range(1, 6)
    ]
    merged = sweep.metrics.merge(sweep.trials, on="trial")
    assert ((merged["config.x"] / merged["step"] - merged["loss"]).abs() < 1e-12).all()
    assert (sweep.trials["ended_at"] >= sweep.trials["started_at"]).all()
    assert sweep.trials["node"].notna().all()


def test_ray_has_what_a_plan_counts_on(ray: None) -> None:
    (node,) = nodes()
    planned = this_machine(cpus=CPUS, gpus=0)
    assert (node.cpus, node.gpus, node.memory) == (planned.cpus, planned.gpus, planned.memory)


def test_asha_stops_through_ray_tune_and_each_trial_has_its_own_process(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import os
        def train(config, trial):
            for step in range(1, 28):
                trial.report(step=step, loss=config["x"] + 1 / step, pid=os.getpid())
        """,
        fixed={"epochs": 27},
        scheduler={"method": "asha", "grace_period": 3},
        budget={"trials": 20},
    )
    states = sweep.trials["state"].value_counts()
    assert states["stopped"] > 0
    assert states["completed"] > 0
    assert states.sum() == 20
    stopped = sweep.trials[sweep.trials["state"] == "stopped"]
    assert (stopped["last_step"] == stopped["rung"]).all()
    rungs = sweep.events[sweep.events["event"] == "rung"]
    assert ((rungs["value"] <= rungs["cutoff"]) | (rungs["decision"] == "stop")).all()
    assert sweep.metrics["pid"].nunique() == 20


ENDS = {
    "raise": "failed",
    "fine": "completed",
    "exit": "failed",
    "exit 0": "completed",
    "nan": "diverged",
    "os._exit": "failed",
    "overflow": "diverged",
    "huge step": "failed",
    "bad name": "failed",
    "bad error": "failed",
    "no stream": "completed",
}


def test_failures_are_told_apart_and_their_processes_are_not_reused(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import os, sys
        def train(config, trial):
            trial.report(step=1, loss=1.0, pid=os.getpid())
            kind = config["kind"]
            if kind == "raise": raise ValueError("bad luck")
            if kind == "exit": sys.exit(2)
            if kind == "os._exit": print("last words", flush=True); os._exit(3)
            if kind == "nan": trial.report(step=2, loss=float("nan"))
            if kind == "overflow": 10.0 ** 400
            if kind == "huge step": trial.report(step=2**63 + 1, loss=0.5)
            if kind == "bad name": trial.report(step=3, loss=0.5, **{"\\ud800": 1})
            if kind == "bad error": raise ValueError("\\ud800")
            if kind == "no stream": sys.stdout = sys.stderr = object()
            trial.report(step=3, loss=0.5)
            if kind == "exit 0": sys.exit(0)
        """,
        space={"kind": {"grid": [*ENDS, "also fine"]}},
        search={"method": "grid"},
        budget={},
    )
    trials = sweep.trials.set_index("config.kind")
    assert trials["state"].to_dict() == {**ENDS, "also fine": "completed"}
    assert trials.loc["huge step", "error_message"] == "report(step=9223372036854775809): a step must be below 2**63"
    assert trials.loc["bad name", "error_message"].endswith("is not valid Unicode, so it cannot name a metric")
    assert trials.loc["raise", "error_message"] == "bad luck"
    assert trials.loc["raise", "error_fingerprint"] == "ValueError at train.py:6"
    assert "sys.exit(2)" in trials.loc["exit", "error_message"]
    assert "last words" in trials.loc["os._exit", "error_message"]
    pids = sweep.metrics.drop_duplicates("trial").set_index("trial")["pid"]
    begun = trials.set_index("trial")["started_at"].loc[
        pids.index
    ]  # a trial that needs a new process begins after later ones
    for number in trials.loc[["raise", "exit"], "trial"]:
        assert not (pids[begun > begun[number]] == pids[number]).any()


def test_a_process_that_dies_as_its_trial_begins_is_a_failure_of_the_trial(
    sweep_of: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """In a reused process, a trial begins before Ray Tune knows that it has begun."""
    sweep = sweep_of(
        """
        import os
        def train(config, trial):
            if config["x"] % 2: os._exit(3)
            trial.report(step=1, loss=1.0)
        """,
        space={"x": {"grid": [0, 1, 2, 4, 5, 6]}},
        search={"method": "grid"},
        budget={},
        resources={"concurrency": 1},
    )
    assert sweep_of.error is None
    trials = sweep.trials.set_index("config.x")
    expected = {x: "failed" if x % 2 else "completed" for x in (0, 1, 2, 4, 5, 6)}
    assert trials["state"].to_dict() == expected, trials["reason"].to_dict()
    assert (trials["attempts"] == 1).all()
    assert "did not complete" not in capfd.readouterr().err  # Ray Tune's message about trials that it has lost
    events = sweep.events[sweep.events["event"] == "running"]
    assert sorted(events["trial"]) == [0, 1, 2, 3, 4, 5]  # once each: none was restarted


def test_a_failed_trial_is_retried_in_a_new_process(sweep_of: Callable[..., Any], tmp_path: Path) -> None:
    sweep = sweep_of(
        """
        import os, pathlib
        def train(config, trial):
            tries = trial.directory / "tries"
            before = tries.read_text() if tries.exists() else ""
            tries.write_text(before + f"{os.getpid()} ")
            for step in range(1, 4):
                if step == 2 and len(before.split()) < 2:
                    raise RuntimeError(f"try {len(before.split())}")
                trial.report(step=step, loss=1.0)
        """,
        budget={"trials": 1},
        trial={"retries": 2},
    )
    row = sweep.trials.iloc[0]
    assert (row["state"], row["attempts"], row["failures"]) == ("completed", 3, 2)
    assert sweep.metrics["step"].tolist() == [1, 2, 3]
    pids = (sweep.paths.trial(0) / "tries").read_text().split()
    assert len(set(pids)) == 3


def test_a_class_and_a_ray_tune_function_train_too(sweep_of: Callable[..., Any]) -> None:
    code = """
        from ray import tune
        class Model:
            def __init__(self, config, trial):
                self.x, self.n = config["x"], 0
            def step(self):
                self.n += 1
                return {"loss": self.x / self.n} if self.n <= 4 else None
        def for_ray(config):
            assert tune.get_context().get_trial_id() is not None
            assert tune.get_checkpoint() is None
            for i in range(3):
                tune.report({"loss": config["x"] + i, "note": "not a number", "step": 7, "val": {"acc": 0.5}})
    """
    sweep = sweep_of(code, trainable="train.py:Model", budget={"trials": 2})
    assert sweep.metrics.groupby("trial")["step"].apply(list).tolist() == [[1, 2, 3, 4]] * 2
    sweep = sweep_of(code, trainable="train.py:for_ray", budget={"trials": 2})
    assert sweep_of.error is None
    assert sweep.metrics.groupby("trial")["step"].apply(list).tolist() == [[1, 2, 3]] * 2
    assert "note" not in sweep.metrics.columns
    assert (sweep.metrics["val/acc"] == 0.5).all()


def test_a_ray_task_of_a_trial_runs_where_a_cpu_is_free(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import ray
        @ray.remote
        def squared(x):
            return x * x
        def train(config, trial):
            trial.report(step=1, loss=ray.get(squared.remote(config["x"]), timeout=60))
        """,
        budget={"trials": 1},
        resources={"concurrency": 1, "cpu": 0.5},
    )
    assert sweep.trials["state"].tolist() == ["completed"], sweep.trials["reason"].tolist()


def test_if_all_fail_the_sweep_ends_and_says_why(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of("def train(config, trial):\n    config['missing']\n", budget={"trials": 50})
    assert isinstance(sweep_of.error, SweepError)
    assert "the first 5 trials all failed: KeyError: no key 'missing'" in str(sweep_of.error)
    assert (sweep.trials["state"] == "failed").sum() == 5


def test_a_million_lines_stay_in_the_log(sweep_of: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_of(
        """
        def train(config, trial):
            for line in range(1_000_000):
                print("line", line)
            trial.report(step=1, loss=1.0)
        """,
        budget={"trials": 1},
    )
    lines = sweep.paths.log(0).read_text().splitlines()
    assert (len(lines), lines[-1]) == (1_000_000, "line 999999")
    out, err = capfd.readouterr()
    assert "line 9" not in out + err


def test_hours_end_trials_that_never_would(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import itertools, time
        def train(config, trial):
            for step in itertools.count(1):
                time.sleep(0.05)
                trial.report(step=step, loss=1.0)
        """,
        budget={"trials": 2, "hours": 3 / 3600},
    )
    assert sweep.trials["state"].tolist() == ["cancelled"] * 2
    assert sweep.trials["reason"].str.contains("budget").all()


@pytest.mark.usefixtures("names_given_back")
def test_the_environment_of_a_user_with_our_names(sweep_of: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("cluster", "trainables"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"WHO = 'their {name}'\n")
        (tmp_path / name / "contract.py").write_text("VALUE = 0.25\n")
    sweep = sweep_of(
        """
        import cluster
        from trainables.contract import VALUE
        def train(config, trial):
            import trainables
            assert (cluster.WHO, trainables.WHO) == ("their cluster", "their trainables")
            trial.report(step=1, loss=VALUE)
        """,
        trainable="train.py:train",
    )
    assert sweep_of.error is None
    assert sweep.trials["objective"].tolist() == [0.25] * 4


def test_scratch_is_removed_and_the_results_hold_few_files(
    sweep_of: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sweep = sweep_of("def train(config, trial):\n    trial.report(step=1, loss=1.0)\n", budget={"trials": 30})
    files = [path for path in sweep.paths.root.rglob("[!.]*") if path.is_file()]
    assert len(files) == 6, files  # spec.yaml, sweep.json, one each of code, metrics and events, trials.parquet
    assert not list(tmp_path.glob("sweep-*"))


def test_a_closure_trains_and_what_cannot_be_sent_is_refused(ray: None, tmp_path: Path) -> None:
    offset = 0.25

    def train(config: dict[str, float], trial: Any) -> None:
        trial.report(step=1, loss=config["x"] + offset)

    spec = parse_spec(
        {"trainable": "x:train", "space": {"x": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}}, base=tmp_path
    )
    packed = pack_function(train)
    source = Source(spec=spec, text=b"a: b\r\n", base=tmp_path, declaration=None, function=train, packed=packed)
    paths = launch(source, results=tmp_path, engine=Present())
    trials = load(paths.root).trials
    assert (trials["objective"] - trials["config.x"]).tolist() == pytest.approx([offset] * len(trials))
    assert paths.spec.read_bytes() == b"a: b\r\n"

    lock = threading.Lock()
    with pytest.raises(TrainableError, match="held cannot be sent to the workers: cannot pickle"):
        pack_function(holding(lock))


def holding(lock: Any) -> Callable[..., None]:
    def held(config: Any, trial: Any) -> None:
        with lock:
            trial.report(step=1, loss=1.0)

    return held
