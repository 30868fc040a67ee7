"""Sweeps that are killed, stopped and resumed as a user does: on the command line, with real signals."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.worker.report_journal import unrecorded
from tests.chaos import Chaos, Checkpoints, compare
from tests.terminal import Terminal, name_of, signal_all

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

TRIALS, STEPS = 10, 10


@pytest.fixture
def chaos() -> Chaos:
    return Chaos(kills=5, trials=TRIALS, steps=STEPS, longest_s=1.0, seconds_a_step=0.4)


@pytest.fixture
def terminal(tmp_path: Path, chaos: Chaos) -> Iterator[Terminal]:
    made = chaos.terminal(tmp_path)
    yield made
    made.close()


@pytest.fixture
def undisturbed(tmp_path: Path, chaos: Chaos) -> Iterator[Terminal]:
    made = chaos.terminal(tmp_path / "undisturbed")
    made.seconds_a_step = 0.01
    chaos.undisturbed(made)
    yield made
    made.close()


def test_a_sweep_killed_repeatedly_ends_as_if_undisturbed(
    terminal: Terminal, undisturbed: Terminal, chaos: Chaos
) -> None:
    """The driver, a worker and the raylet are killed in turn, at random times; see also `make chaos`."""
    chaos.disturbed(terminal)
    assert sum(chaos.killed.values()) == chaos.kills
    compare(chaos, terminal, undisturbed)


def test_stop_resume_and_extend(terminal: Terminal, chaos: Chaos) -> None:
    terminal.seconds_a_step = 0.5
    launched = terminal.start("launch", "spec.yaml")
    terminal.wait_for(lambda: terminal.rows() > 0, launched)
    code, out = terminal.run("resume")  # while it runs
    assert code == 2
    assert f"pid {launched.pid}" in out
    code, out = terminal.run("stop")
    assert code == 0, out
    said = launched.communicate(timeout=60)[0]
    assert launched.returncode == 0, said
    assert "stopped by sweep stop" in said
    assert "sweep resume s" in said
    assert "cancelled" in set(terminal.trials()["state"])
    terminal.seconds_a_step = 0.02

    code, out = terminal.run("stop")
    assert (code, "is not running" in out) == (2, True)
    train = terminal.directory / "train.py"
    train.write_text(train.read_text() + "\nCHANGED = True\n")
    code, out = terminal.run("resume")
    assert code == 2
    assert "train.py has changed since s was launched" in out
    assert "--allow-change" in out
    table = terminal.results / "trials.parquet"
    os.truncate(table, table.stat().st_size // 2)
    code, out = terminal.run("resume", "--allow-change")
    assert code == 1
    assert "trials.parquet: damaged, or not a Parquet file" in out
    assert "see: sweep verify s" in out
    code, out = terminal.run("verify", "--repair")
    assert code == 0, out
    code, out = terminal.run("resume", "--allow-change", "--trials", str(TRIALS + 2))
    assert code == 0, out
    trials, metrics = terminal.trials(), terminal.metrics()
    assert trials["state"].tolist() == ["completed"] * (TRIALS + 2)
    assert (trials["attempts"][TRIALS:] == 1).all()
    assert not set(trials["diagnosis"]) & {None, "too_short"}, "each is judged by its whole curve, over all sessions"
    assert len(metrics) == (TRIALS + 2) * STEPS
    assert not metrics.duplicated(["trial", "step"]).any()
    code, out = terminal.run("resume", "--trials", "3")
    assert (code, "is a total" in out) == (2, True)


@pytest.mark.parametrize("reach", ["group", "job"])
def test_sigterm_is_a_stop(terminal: Terminal, reach: str) -> None:
    """`timeout` sends SIGTERM to the process group, systemd and Slurm send it to every process."""
    launched = terminal.start("launch", "spec.yaml")
    terminal.wait_for(lambda: terminal.rows() > 2 * STEPS, launched)
    family = psutil.Process(launched.pid).children(recursive=True)
    sent = time.monotonic()
    if reach == "group":
        os.killpg(launched.pid, signal.SIGTERM)
    else:
        signal_all([*family, psutil.Process(launched.pid)], signal.SIGTERM)
    said = launched.communicate(timeout=60)[0]
    assert launched.returncode == 0, said
    assert time.monotonic() - sent < 15, "it hung"
    assert "stopped by SIGTERM" in said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    trials = terminal.trials()
    assert set(trials["state"]) == {"completed", "cancelled"}
    cancelled = trials[trials["state"] == "cancelled"]
    assert set(cancelled["reason"]) == {"stopped by SIGTERM"}
    assert not (terminal.results / "lease.json").exists()


def test_sigterm_does_not_wait_for_a_trial_that_reports_nothing(tmp_path: Path) -> None:
    spec = {"trainable": "train.py:train", "space": {"x": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}}
    hangs = "import time\ndef train(config, trial):\n    trial.report(step=1, loss=1)\n    time.sleep(1000)\n"
    terminal = Terminal(tmp_path, spec=json.dumps(spec | {"name": "s", "budget": {"trials": 2}}), train=hangs)
    try:
        launched = terminal.start("launch", "spec.yaml", "--grace", "1")
        terminal.wait_for(lambda: terminal.rows() == 2, launched)
        os.kill(launched.pid, signal.SIGTERM)
        said = launched.communicate(timeout=60)[0]
        assert launched.returncode == 0, said
        assert "stopped by SIGTERM; waiting for the next report of trials 0 and 1, 1 s at most" in said
        assert set(terminal.trials()["state"]) == {"cancelled"}
        assert set(terminal.trials()["reason"]) == {"stopped by SIGTERM, without a report for 1 s"}
    finally:
        terminal.close()


def test_if_ray_ends_the_sweep_ends_in_order(terminal: Terminal) -> None:
    launched = terminal.start("launch", "spec.yaml")
    terminal.wait_for(lambda: terminal.rows() > 0, launched)
    raylet = next(child for child in psutil.Process(launched.pid).children() if name_of(child) == "raylet")
    raylet.kill()
    said = launched.communicate(timeout=30)[0]
    assert launched.returncode == 1
    assert "Ray's raylet has ended" in said
    assert "sweep resume" in said
    assert "failed" not in set(terminal.trials()["state"]), "that Ray ended is no fault of a trial"
    assert not (terminal.results / "lease.json").exists()


@pytest.mark.parametrize("checkpoints", ["own", "none"])
def test_a_killed_driver_costs_no_report_whatever_checkpoints_a_trainable_has(
    tmp_path: Path, checkpoints: Checkpoints
) -> None:
    steps = 60
    chaos = Chaos(kills=0, trials=2, steps=steps, seconds_a_step=0.1, checkpoints=checkpoints)
    terminal = chaos.terminal(tmp_path)
    try:
        launched = terminal.start("launch", "spec.yaml")
        terminal.wait_for(lambda: terminal.rows() > 20 and terminal.metrics()["trial"].nunique() == 2, launched)
        family = psutil.Process(launched.pid).children(recursive=True)
        recorded = terminal.metrics().groupby("trial")["step"].max()
        signal_all([psutil.Process(launched.pid), *family], signal.SIGKILL)
        launched.communicate(timeout=30)
        psutil.wait_procs(family, timeout=30)
        journals = sorted((terminal.results / "journals").iterdir())
        assert [path.name for path in journals] == ["0.jsonl", "1.jsonl"]
        left = {int(path.stem): len(unrecorded(path, int(recorded[int(path.stem)]))) for path in journals}
        assert any(left.values()), "the records lag behind"
        code, out = terminal.run("resume")
        assert code == 0, out
        metrics = terminal.metrics()
        assert metrics.groupby("trial")["step"].apply(sorted).tolist() == [list(range(1, steps + 1))] * 2
        assert terminal.trials()["attempts"].tolist() == [2, 2]
        assert not (terminal.results / "journals").exists()
    finally:
        terminal.close()
