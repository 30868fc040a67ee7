"""Functions and classes of Ray Tune on real workers: paused, promoted, killed and resumed, their checkpoints found."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import Sweep
from tests.terminal import Terminal, name_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

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
            if self.training_iteration == 5:
                time.sleep(float(os.environ.get("SECONDS_A_STEP", 0)))
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


@pytest.mark.parametrize("program", ["train", "Model"])
def test_a_killed_program_continues_from_its_checkpoint_which_best_copies(tmp_path: Path, program: str) -> None:
    spec = {
        **SPEC,
        "trainable": f"train.py:{program}",
        "scheduler": {"method": "none", "max": 9},
        "search": {"method": "list", "configs": [{"x": 0.1}]},
        "trial": {"save_every": 0.01},  # of a class, each step is saved, and written when it is due
    }
    terminal = Terminal(tmp_path, spec=json.dumps(spec), train=textwrap.dedent(PROGRAMS))
    log, file = terminal.results / "logs" / "0.log", {"train": "state.json", "Model": "x"}[program]
    try:
        terminal.seconds_a_step = 200  # waits there until it is killed
        launched = terminal.start("launch", "spec.yaml")
        checkpoints = terminal.results / "checkpoints"
        terminal.wait_for(lambda: terminal.rows() == 5 and any(checkpoints.rglob(file)), launched)
        terminal.kill_driver(launched)
        terminal.seconds_a_step = 0
        code, said = terminal.run("resume", "s")
        assert code == 0, said
        code, said = terminal.run("best", "s", "--checkpoint", "copied")
        assert code == 0, said
    finally:
        terminal.close()
    begun = [line for line in log.read_text().splitlines() if re.search("starts|loads", line)]
    copied = (tmp_path / "copied" / file).read_text()
    if program == "train":
        assert (begun[0], begun[-1]) == ("starts at 0", "starts at 5")
        assert json.loads(copied) == {"epoch": 8}
    else:
        assert re.fullmatch("loads [1-5]", " ".join(begun)), begun
        assert copied == "0.1"
    metrics = terminal.metrics().sort_values("step")
    assert metrics.step.tolist() == list(range(1, 10))
    assert metrics["mean/loss"].tolist() == pytest.approx([0.1 + 1 / step for step in range(1, 10)])


# After "Hyperparameter Tuning with Ray Tune", https://docs.ray.io/en/latest/train/user-guides/hyperparameter-optimization.html
TRAINER = """
    import json, os, signal, tempfile
    from pathlib import Path
    import ray.train
    import ray.train.torch
    import ray.tune
    from ray.tune.integration.ray_train import TuneReportCallback

    class KillsTheTrial(ray.train.UserCallback):
        def __init__(self):
            self.trial = os.getpid()

        def after_report(self, run_context, metrics, checkpoint):
            if metrics[0]["epoch"] == 1:
                os.kill(self.trial, signal.SIGKILL)

    def train_fn_per_worker(config):
        start = 0
        checkpoint = ray.train.get_checkpoint()
        if checkpoint:
            with checkpoint.as_directory() as directory:
                start = json.loads((Path(directory) / "state.json").read_text())["epoch"] + 1
        for epoch in range(start, 4):
            with tempfile.TemporaryDirectory() as directory:
                (Path(directory) / "state.json").write_text(json.dumps({"epoch": epoch}))
                ray.train.report(
                    {"loss": config["x"] + 1 / (epoch + 1), "epoch": epoch, "pid": os.getpid()},
                    checkpoint=ray.train.Checkpoint.from_directory(directory),
                )

    def train(config):
        name = f"train-trial_id={ray.tune.get_context().get_trial_id()}"
        again = Path("store", name).exists()
        trainer = ray.train.torch.TorchTrainer(
            train_fn_per_worker,
            train_loop_config=config,
            scaling_config=ray.train.ScalingConfig(num_workers=2, resources_per_worker={"CPU": 0.5}),
            run_config=ray.train.RunConfig(
                name=name,
                storage_path=os.path.abspath("store"),
                callbacks=[TuneReportCallback(), *([] if again else [KillsTheTrial()])],
            ),
        )
        trainer.fit()
"""


@pytest.mark.timeout(600)  # a trainer is half a dozen processes, started by Ray one after the other
def test_a_torch_trainer_continues_after_a_kill_and_is_stopped_at_a_rung(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        TRAINER,
        **{
            **SPEC,
            "objective": {"metric": "loss"},
            "search": {"method": "list", "configs": [{"x": 0.1}, {"x": 0.9}]},
            "scheduler": {"method": "asha", "variant": "stop", "max": 4, "grace_period": 1, "reduction_factor": 2},
            "resources": {"cpu": 0.5, "concurrency": 1},
            "trial": {"retries": 1},
        },
    )
    trials = sweep.trials.sort_values("trial")
    assert trials.state.tolist() == ["completed", "stopped"], trials.reason.tolist()
    assert trials.attempts.tolist() == [2, 1]
    first, second = (rows.sort_values("step") for _, rows in sweep.metrics.groupby("trial"))
    assert first.step.tolist() == list(range(1, len(first) + 1))
    lost = {0, 1, 2, 3} - set(first.epoch)  # on a busy machine the trial dies before it has the report (decision 25)
    assert lost <= {1}
    assert second.step.tolist() == [1]
    state = next((sweep.paths.root / "checkpoints" / "0").rglob("state.json"))
    assert json.loads(state.read_text()) == {"epoch": 3}
    assert len(set(first.pid)) == 2
    workers = [psutil.Process(int(pid)) for pid in {*first.pid, *second.pid} if psutil.pid_exists(int(pid))]
    assert not psutil.wait_procs(workers, timeout=60)[1]
    assert not [each for each in psutil.process_iter() if "PlacementGroupCl" in name_of(each)]
