"""init, check, plan, try."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.spec.load_trainable import load
from tests.cli.conftest import Ran
from trainables.contract import Report, Trial, TrialEnded, run
from trainables.process.seeding import seed_all

Sweep = Callable[..., Ran]

TRAIN = """
import sys

def train(config, trial):
    print("hello from the trainable")
    for epoch in range(1, 6):
        if config["kind"] == "raises" and epoch == 3:
            raise ValueError("no good")
        if config["kind"] == "exits":
            sys.exit(3)
        if config["kind"] == "silent":
            continue
        if config["kind"] == "other":
            trial.report(step=epoch, accuracy=1.0)
        elif config["kind"] == "diverges" and epoch == 4:
            trial.report(step=epoch, loss=float("nan"))
        else:
            trial.report(step=epoch, loss=1 / epoch)

class Model:
    def __init__(self, config, trial):
        self.left = 2

    def step(self):
        self.left -= 1
        return {"loss": float(self.left)} if self.left >= 0 else None

def tuned(config):
    from ray import tune
    tune.report({"loss": 0.5})
"""
SPEC = """
trainable: train.py:train
fixed: {epochs: 5}
space:
  lr: {uniform: [0, 1]}
  kind: {choice: [fine, raises, exits, silent, other, diverges]}
  momentum: {uniform: [0.5, 0.9], when: "kind == 'fine'"}
objective: {metric: loss}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAIN)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


class TestInit:
    @pytest.mark.parametrize("options", [(), ("--minimal",)])
    def test_what_it_writes_is_fine_and_trains(self, options: tuple[str, ...], sweep: Sweep, tmp_path: Path) -> None:
        ran = sweep("init", "new", *options)
        assert ran.code == 0
        assert ran.out.splitlines() == [f"sweep {c} new/sweep.yaml" for c in ("try", "plan", "launch")]
        for command in ("check", "plan", "try"):
            ran = sweep(command, tmp_path / "new" / "sweep.yaml")
            assert ran.code == 0, ran.err
        assert "warning" not in ran.out

    def test_a_trial_that_was_cut_off_goes_on_exactly(self, sweep: Sweep, tmp_path: Path) -> None:
        assert sweep("init").code == 0
        train = load("train.py:train", tmp_path)
        config = {"epochs": 5, "lr": 0.01, "width": 16, "dropout": 0.5, "optimizer": "adamw"}

        def trial(name: str, sink: Any = None) -> Trial:
            seed_all(0)
            return Trial(config=config, directory=tmp_path / name, device="cpu", sink=sink)

        def cut_off(report: Report) -> None:
            if report.step == 3:
                raise TrialEnded

        run(train, whole := trial("whole"))
        with pytest.raises(TrialEnded):
            run(train, trial("parts", cut_off))
        run(train, rest := trial("parts"))
        assert [report.step for report in rest.history] == [4, 5]
        assert [report.metrics for report in rest.history] == [report.metrics for report in whole.history[3:]]

    def test_nothing_is_overwritten(self, sweep: Sweep, tmp_path: Path) -> None:
        (tmp_path / "train.py").write_text("mine")
        ran = sweep("init")
        assert ran.code == 2
        assert "train.py exists" in ran.err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]

    def test_a_place_that_cannot_be_written(self, sweep: Sweep, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        ran = sweep("init", "file/new")
        assert ran.code == 2
        assert "cannot write" in ran.err


class TestCheck:
    def test_a_good_spec_takes_one_line(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("check", spec)
        assert ran == (0, f"{spec} is valid: 3 parameters, 20 trials, tpe, ASHA, min loss\n", "")

    def test_the_short_options_are_seen(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("check", spec, "--trials", 7, "--set", "search.method=random", "--name", "07")
        assert ran.out == f"{spec} is valid: 3 parameters, 7 trials, random, ASHA, min loss\n"

    def test_every_mistake_at_once(self, sweep: Sweep, spec: Path) -> None:
        spec.write_text(SPEC.replace("uniform: [0, 1]", "uniforn: [0, 1]").replace("train.py:train", "linaer"))
        ran = sweep("check", "spec.yaml", "--set", "budget.trials=many")
        assert ran.code == 2
        assert ran.out == ""
        assert ran.err == (
            "spec.yaml:2  trainable\n"
            "    unknown trainable 'linaer'\n"
            "    did you mean 'linear'? file.py:function, module:function, or built in: linear, tabular\n"
            "spec.yaml:5  space.lr\n"
            "    unknown distribution 'uniforn'\n"
            "    did you mean 'uniform'? one of: uniform, loguniform, int, logint, normal, lognormal, choice, grid\n"
            "--set budget.trials  budget.trials\n"
            "    'many' is not an integer\n"
            "\n"
            "3 mistakes in spec.yaml\n"
        )

    def test_the_schema_is_json(self, sweep: Sweep) -> None:
        assert json.loads(sweep("check", "--schema").out)["title"] == "Sweep"


class TestPlan:
    def test_it_says_what_will_happen(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("plan", spec, "--trials", 30, "--cpus", 4, "--gpus", 0, "--set", "budget.hours=0.5")
        assert ran.code == 0, ran.err
        lines = ran.out.splitlines()
        assert lines[0] == "spec: 30 trials of train.py:train over 3 parameters (tpe, seed 0)"
        assert lines[1].startswith("fits here: 4 trials at once, 1 CPU each (")
        assert lines[2] == "length:    a full training has 5 steps (fixed.epochs)"
        assert lines[3].startswith("steps:     about ")
        assert lines[4] == "ceiling:   30 min 00 s"
        assert "rung  trials come  go on" in lines
        assert "warning" not in ran.out

    @pytest.mark.parametrize(
        ("change", "origin"),
        [
            ("scheduler={max: 5}", "a full training has 5 steps (scheduler.max)"),
            ("fixed=null", "unknown"),
            ("space.epochs={int: [2, 8]}", "a full training has 8 steps (the most that space.epochs gives)"),
        ],
    )
    def test_it_says_where_the_length_comes_from(self, sweep: Sweep, spec: Path, change: str, origin: str) -> None:
        fixed = ["--set", "fixed=null"] if change.startswith("space") else []
        ran = sweep("plan", spec, "--set", change, *fixed)
        assert ran.code == 0, ran.err
        assert f"length:    {origin}" in ran.out

    def test_the_length_of_a_built_in_is_its_default(self, sweep: Sweep, spec: Path) -> None:
        text = "trainable: linear\nspace: {lr: {uniform: [0, 1]}}\nobjective: {metric: loss}\n"
        spec.write_text(text)
        ran = sweep("plan", spec)
        assert "100 steps (the default of epochs in linear)" in ran.out

    def test_warnings_come_last(self, sweep: Sweep, spec: Path) -> None:
        assert sweep("plan", spec, "--trials", 3).out.splitlines()[-1].startswith("warning: ")

    def test_what_does_not_fit_is_refused(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("plan", spec, "--cpus", 2, "--set", "resources.cpu=8")
        assert ran.code == 2
        assert "has 2 of the 8 CPUs" in ran.err


class TestTry:
    def test_reports_as_they_come_and_the_last_metrics(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("try", spec, "--config", "{kind: fine, lr: 0.25}")
        assert ran.code == 0, ran.err
        assert "trial 0: lr=0.25 kind=fine momentum=" in ran.err
        assert "hello from the trainable" in ran.out
        assert [line.split("  ")[0].split() for line in ran.out.splitlines() if line.startswith("step")] == [
            ["step", str(step)] for step in range(1, 6)
        ]
        assert ran.out.splitlines()[-1] == "loss: best 0.2 at step 5, last 0.2"

    @pytest.mark.parametrize(("note", "code"), [(1, 0), (2, 2)])
    def test_what_best_prints_can_be_tried(self, sweep: Sweep, spec: Path, note: int, code: int) -> None:
        """It prints the fixed values, too; to try others of them, there is --set."""
        config = f"{{note: {note}, kind: fine, lr: 0.25}}"
        assert sweep("try", spec, "--set", "fixed.note=1", "--config", config).code == code

    def test_the_drawn_configuration_is_that_of_trial_0(self, sweep: Sweep, spec: Path) -> None:
        first = sweep("try", spec, "--set", "space.kind={choice: [fine]}").err.splitlines()[0]
        again = sweep("try", spec, "--set", "space.kind={choice: [fine]}", "--steps", 1).err.splitlines()[0]
        other = sweep("try", spec, "--set", "space.kind={choice: [fine]}", "--seed", 5).err.splitlines()[0]
        assert first == again != other

    @pytest.mark.parametrize(
        ("kind", "code", "said"),
        [
            ("raises", 1, "error: the trial failed after 2 reports: ValueError: no good"),
            ("exits", 1, "sys.exit(3)"),
            ("silent", 1, "returned without a report"),
            ("other", 1, "never reported 'loss', only accuracy"),
            ("diverges", 0, "diverged"),
        ],
    )
    def test_how_trials_end(self, sweep: Sweep, spec: Path, kind: str, code: int, said: str) -> None:
        ran = sweep("try", spec, "--config", f"{{kind: {kind}}}")
        assert ran.code == code
        assert said in ran.err
        assert "orchestrator/" not in ran.err, "our own frames are not the user's business"

    @pytest.mark.parametrize("attribute", ["Model", "tuned"])
    def test_every_shape(self, sweep: Sweep, spec: Path, attribute: str) -> None:
        ran = sweep("try", spec, "--set", f"trainable=train.py:{attribute}")
        assert ran.code == 0, ran.err
        assert "loss: best" in ran.out

    def test_steps(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("try", spec, "--config", "kind: fine", "--steps", 2)
        assert ran.code == 0
        assert "stopped after 2 reports" in ran.err
        assert "step 3" not in ran.out

    def test_an_objective_that_is_not_reported_shows_in_the_first_steps(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("try", spec, "--config", "kind: other", "--steps", 2)
        assert "warning: loss, the objective, was in none of the reports" in ran.err
        assert "warning" not in sweep("try", spec, "--config", "kind: fine", "--steps", 2).err

    def test_pdb_opens_where_it_was_raised(self, sweep: Sweep, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        places = []

        def post_mortem(trace: object) -> None:
            while trace.tb_next is not None:  # type: ignore[attr-defined]
                trace = trace.tb_next  # type: ignore[attr-defined]
            places.append(trace.tb_frame.f_locals["epoch"])  # type: ignore[attr-defined]

        monkeypatch.setattr("pdb.post_mortem", post_mortem)
        assert sweep("try", spec, "--config", "kind: raises", "--pdb").code == 1
        assert places == [3]

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("{lrr: 1}", "did you mean 'lr'?"),
            ("{lr: 7}", "7 is not in the space"),
            ("{kind: raises, momentum: 0.6}", "momentum does not apply here"),
            ("[", "--config takes names and values"),
            ("0.1", "--config takes names and values"),
        ],
    )
    def test_a_configuration_outside_the_space(self, sweep: Sweep, spec: Path, config: str, said: str) -> None:
        ran = sweep("try", spec, "--config", config)
        assert ran.code == 2
        assert said in ran.err
