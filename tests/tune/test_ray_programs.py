"""Functions and classes of Ray Tune on real workers: paused, promoted, killed and resumed, their checkpoints found."""

from __future__ import annotations

import json
import os
import re
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import Sweep
from tests.terminal import Terminal

pytestmark = pytest.mark.timeout(280)

# After https://docs.ray.io/en/latest/tune/tutorials/tune-trial-checkpoints.html (function and class).
PROGRAMS = """
    import json, os, tempfile, time
    from pathlib import Path
    from ray import tune
    from ray.tune import Checkpoint

    def train(config):
        start = 0
        checkpoint = tune.get_checkpoint()
        if checkpoint:
            with checkpoint.as_directory() as checkpoint_dir:
                start = json.loads((Path(checkpoint_dir) / "state.json").read_text())["epoch"] + 1
        print("starts at", start, flush=True)
        for epoch in range(start, 9):
            if epoch == 5:
                time.sleep(float(os.environ.get("SECONDS_A_STEP", 0)))
            with tempfile.TemporaryDirectory() as temporary:
                (Path(temporary) / "state.json").write_text(json.dumps({"epoch": epoch}))
                tune.report(
                    {"mean": {"loss": config["x"] + 1 / (epoch + 1)}}, checkpoint=Checkpoint.from_directory(temporary)
                )

    class Model(tune.Trainable):
        def setup(self, config, offset):
            self.x = config["x"] + offset

        def step(self):
            return {"mean": {"loss": self.x + 1 / (self.training_iteration + 1)}}

        def save_checkpoint(self, checkpoint_dir):
            (Path(checkpoint_dir) / "x").write_text(str(self.x))

        def load_checkpoint(self, checkpoint_dir):
            print("loads", self.training_iteration)
            assert float((Path(checkpoint_dir) / "x").read_text()) == self.x

    Model = tune.with_resources(tune.with_parameters(Model, offset=0), {"cpu": 1})
"""
SPEC = {
    "name": "s",
    "trainable": "train.py:train",
    "space": {"x": {"uniform": [0, 1]}},
    "objective": {"metric": "mean/loss"},
    "search": {"method": "list", "configs": [{"x": number / 100} for number in range(8)]},
    "scheduler": {"method": "asha", "variant": "promote", "max": 9, "grace_period": 1},
}


@pytest.mark.parametrize("program", ["train", "Model"])
def test_a_paused_trial_continues_from_its_checkpoint(sweep_of: Callable[..., Sweep], program: str) -> None:
    sweep = sweep_of(PROGRAMS, **{**SPEC, "trainable": f"train.py:{program}"})
    assert sweep_of.error is None  # type: ignore[attr-defined]
    assert set(sweep.trials.state) == {"completed", "stopped"}
    promoted = sweep.events[sweep.events.event == "promoted"].trial.unique()
    assert len(promoted)
    for trial in promoted:
        log = (sweep.paths.root / "logs" / f"{int(trial)}.log").read_text()
        assert re.search(r"(starts at|loads) [13]$", log, re.MULTILINE), log
    reports = sweep.metrics.groupby("trial").step.agg(list)
    assert all(steps == list(range(1, len(steps) + 1)) for steps in reports)


def test_a_killed_function_continues_from_its_checkpoint_which_best_copies(tmp_path: Path) -> None:
    spec = {**SPEC, "scheduler": {"method": "none"}, "search": {"method": "list", "configs": [{"x": 0.1}, {"x": 0.2}]}}
    terminal = Terminal(tmp_path, spec=json.dumps(spec), train=textwrap.dedent(PROGRAMS))
    try:
        terminal.seconds_a_step = 200  # waits there until it is killed
        launched = terminal.start("launch", "spec.yaml")
        terminal.wait_for(lambda: terminal.rows() > 0 and (terminal.metrics().trial == 0).sum() == 5, launched)
        family = psutil.Process(launched.pid).children(recursive=True)
        os.kill(launched.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=30)
        terminal.seconds_a_step = 0
        code, said = terminal.run("resume", "s")
        assert code == 0, said
        code, said = terminal.run("best", "s", "--checkpoint", "copied")
        assert code == 0, said
    finally:
        terminal.close()
    assert json.loads((tmp_path / "copied" / "state.json").read_text()) == {"epoch": 8}
    starts = [line for line in (terminal.results / "logs" / "0.log").read_text().splitlines() if "starts" in line]
    assert starts[0] == "starts at 0"
    assert starts[-1] == "starts at 5"
    assert terminal.metrics().groupby("trial").step.agg(list).tolist() == [list(range(1, 10))] * 2
