"""plan: how long it takes, on machines that need not exist."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]

SPEC = """
trainable: train.py:train
fixed: {epochs: 9, data: data/a.csv}
space: {x: {uniform: [0, 1]}}
objective: {metric: loss}
search: {method: random}
scheduler: {method: none}
budget: {trials: 1000}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("def train(config, trial):\n    trial.report(step=1, loss=config['x'])\n")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def facts(ran: Ran) -> dict[str, str]:
    assert ran.code == 0, ran.err
    lines = (line.partition(":") for line in ran.out.splitlines()[1:])
    return {name: fact.strip() for name, colon, fact in lines if colon}


class TestMachines:
    def test_gpus_need_not_exist(self, sweep: Sweep, spec: Path) -> None:
        assert facts(sweep("plan", spec, "--gpus", 500))["would fit"] == (
            "500 trials at once, 1 CPU and 1 GPU each (hypothetical: 62 nodes with 8 CPUs, 8 GPUs;"
            " 1 node with 4 CPUs, 4 GPUs, enough memory)"
        )

    def test_packed_trials_begin_with_a_gpu_each(self, sweep: Sweep, spec: Path) -> None:
        fit = facts(sweep("plan", spec, "--gpus", 8, "--set", "resources.gpu=packed"))["would fit"]
        assert fit.startswith("8 trials at once, 1 CPU and 1 GPU each; more once their GPU memory has been measured (")
        none = facts(sweep("plan", spec, "--set", "resources.gpu=packed"))["fits here"]
        assert "GPU memory" not in none

    def test_trials_may_differ(self, sweep: Sweep, spec: Path) -> None:
        formulas = ["--set", "resources.gpu='2 if x > 0.5 else 1'", "--set", "resources.cpu='8 if x > 0.9 else 4'"]
        fit = facts(sweep("plan", spec, "--gpus", 16, *formulas))["would fit"]
        held, _, each = fit.partition(" trials at once, ")
        assert 9 <= int(held) <= 12, "some 1.5 GPUs each"
        assert each.startswith("4 to 8 CPUs and 1 to 2 GPUs each (hypothetical: 2 nodes with 32 CPUs, 8 GPUs")
        data = json.loads(sweep("plan", spec, "--gpus", 16, *formulas, "--json").out)
        assert [(size["cpus"], size["gpus"]) for size in data["sizes"]] == [(4, 1), (4, 2), (8, 2)]
        assert data["trial"] == data["sizes"][-1]

    def test_nodes_are_as_large_as_one_says(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("plan", spec, "--gpus", 8, "--gpus-per-node", 4, "--cpus", 2)
        assert facts(ran)["would fit"].startswith("4 trials at once, 1 CPU and 1 GPU each (hypothetical: 2 nodes with")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--gpus-per-node", 4], "--gpus-per-node requires --gpus"),
            (["--gpus", 16, "--set", "resources.gpu=0"], "the trials use no GPU (resources.gpu is 0)"),
            (["--gpus", 16, "--set", "resources.gpu=16"], "imagined-1, has 8 of the 16 GPUs"),
            (["--gpus", 16, "--on", "auto"], "--on local"),
        ],
    )
    def test_what_cannot_be_is_refused(self, sweep: Sweep, spec: Path, arguments: list[object], said: str) -> None:
        ran = sweep("plan", spec, *arguments)
        assert ran.code == 2
        assert said in ran.err

    def test_idle_gpus_are_warned_of(self, sweep: Sweep, spec: Path) -> None:
        ran = sweep("plan", spec, "--gpus", 500, "--trials", 60)
        assert "warning: 440 of 500 GPUs stay idle with 60 trials: raise budget.trials to at least 500" in ran.out
        assert "idle" not in sweep("plan", spec, "--gpus", 500, "--trials", 500).out


class TestDuration:
    def test_by_the_length_of_a_step(self, sweep: Sweep, spec: Path) -> None:
        """100 trials a slot of 9 steps of 100 s, and some seconds to start."""
        found = facts(sweep("plan", spec, "--gpus", 10, "--step-seconds", 100))
        assert found["a step"] == "1 min 40 s (--step-seconds)"
        assert found["duration"] == "about 1 d 1 h"
        assert found["busy"] == "250 GPU-hours of training, 100% of the 250 for which 10 GPUs are held"
        assert found["driver"].startswith("busy ")
        assert found["best"].startswith("known after about ")

    def test_by_an_earlier_sweep(self, sweep: Sweep, spec: Path, tmp_path: Path) -> None:
        record(tmp_path / "results")
        found = facts(sweep("plan", spec, "--gpus", 10))
        assert found["a step"].startswith("about 1.0 s: 12 trials of made-up, 20")
        assert found["a step"].endswith(", without a GPU")
        assert found["duration"].startswith("about 15 min 0")
        elsewhere = facts(sweep("plan", spec, "--gpus", 10, "--results", tmp_path / "elsewhere"))
        assert "a step" not in elsewhere

    def test_in_steps_if_nobody_says(self, sweep: Sweep, spec: Path) -> None:
        found = facts(sweep("plan", spec, "--gpus", 10, "--set", "budget.hours=0.001"))
        assert found["duration"].startswith(
            "about 900 times the time of a step; give the time of a step by --step-seconds (no earlier sweep"
        )
        assert not {"busy", "driver", "best", "ends"} & found.keys()

    def test_not_if_the_length_is_unknown(self, sweep: Sweep, spec: Path) -> None:
        assert "duration" not in facts(sweep("plan", spec, "--set", "fixed=null", "--step-seconds", 1))

    def test_a_budget_that_ends_it(self, sweep: Sweep, spec: Path) -> None:
        found = facts(sweep("plan", spec, "--gpus", 10, "--step-seconds", 100, "--set", "budget.hours=1"))
        assert found["duration"] == "about 1 h 00 min"
        assert found["ends"] == "the budget of 1 hours is used up; about 30 trials have a result by then"

    def test_without_a_number_of_trials(self, sweep: Sweep, spec: Path) -> None:
        free = ("--set", "budget.trials=null", "--gpus", 10)
        ran = sweep("plan", spec, *free, "--step-seconds", 100, "--set", "budget.hours=1")
        assert ran.out.startswith("spec: any number of trials of train.py:train over 1 parameter")
        assert facts(ran)["ceiling"] == "1 h 00 min and 10 GPU-hours"
        assert facts(ran)["ends"] == "the budget of 1 hours is used up; about 30 trials have a result by then"
        unknown = facts(sweep("plan", spec, *free, "--set", "budget.hours=1"))
        assert unknown["duration"].startswith("as long as budget.hours allows; give the time of a step")

    def test_results_that_end_it(self, sweep: Sweep, spec: Path) -> None:
        results = "{patience: 40, min_gain: 0.01, target: 0.2}"
        ran = sweep("plan", spec, "--gpus", 1, "--step-seconds", 1, "--set", f"budget={results}")
        assert facts(ran)["until"] == "loss is 0.2 or below, or 40 trials in a row bring no gain of 0.01 or more"
        assert facts(ran)["ends"].startswith("40 trials in a row bring no better result; about ")
        steps = facts(sweep("plan", spec, "--gpus", 1, "--set", f"budget={results}"))
        assert steps["duration"].startswith("about ")
        alone = sweep("plan", spec, "--gpus", 1000, "--step-seconds", 1, "--set", "budget={target: 0.2}")
        assert "for the first 10,000 trials; more were not simulated" in facts(alone)["duration"]
        assert "warning: nothing ends the sweep unless it reaches its target" in alone.out

    def test_a_driver_that_cannot_keep_up_is_warned_of(self, sweep: Sweep, spec: Path) -> None:
        busy = sweep("plan", spec, "--gpus", 500, "--step-seconds", 0.01, "--trials", 4000)
        assert "warning: the driver is busy " in busy.out
        assert "tpe" not in busy.out
        learning = sweep("plan", spec, "--gpus", 500, "--step-seconds", 0.01, "--set", "search.method=tpe")
        assert "search.method sobol" in learning.out


class TestTimeOfATrial:
    """trial.max_time and rungs at seconds bound how long trials train."""

    def test_max_time_ends_trials(self, sweep: Sweep, spec: Path) -> None:
        """Of nine steps of 100 s, a trial has three by 250 s: 1,000 trials on ten GPUs take 30,000 s and not 90,000."""
        found = facts(sweep("plan", spec, "--gpus", 10, "--step-seconds", 100, "--set", "trial.max_time=250s"))
        assert found["length"] == "a full training has 9 steps (fixed.epochs), or at most 4 min 10 s (trial.max_time)"
        assert found["steps"] == "about 3,000 of 9,000, 33% of training every trial in full"
        assert found["duration"] == "about 8 h 20 min"

    def test_max_time_beyond_a_training_changes_nothing(self, sweep: Sweep, spec: Path) -> None:
        words = ["plan", spec, "--gpus", 10, "--step-seconds", 100]
        with_limit, without = facts(sweep(*words, "--set", "trial.max_time=1h")), facts(sweep(*words))
        assert with_limit["duration"] == without["duration"]
        assert with_limit["steps"].startswith("about 9,000 of 9,000, 100%")

    def test_a_length_in_time_alone(self, sweep: Sweep, spec: Path) -> None:
        spec.write_text(SPEC.replace("epochs: 9, ", "").replace("scheduler: {method: none}", "trial: {max_time: 300}"))
        ran = sweep("plan", spec, "--gpus", 10)
        found = facts(ran)
        assert found["length"] == (
            "a full training takes at most 5 min 00 s (trial.max_time);"
            " no trial is stopped early: set scheduler.unit to seconds"
        )
        assert found["a step"].startswith("unknown, so every training is taken to last 5 min 00 s; give the time")
        assert found["duration"] == "about 8 h 20 min"
        data = json.loads(sweep("plan", spec, "--gpus", 10, "--json").out)
        assert (data["forecast"]["unit"], data["forecast"]["step_s"]) == ("seconds", None)

    def test_rungs_in_seconds(self, sweep: Sweep, spec: Path) -> None:
        rungs = "{method: asha, unit: seconds, grace_period: 1m, reduction_factor: 3, max: 15m}"
        spec.write_text(SPEC.replace("{method: none}", rungs))
        ran = sweep("plan", spec, "--gpus", 10, "--step-seconds", 20)
        table = [line.split() for line in ran.out.split("expected:\n")[1].splitlines()[:4]]
        assert table[0] == ["rung", "(s)", "trials", "continue"]
        assert [row[0] for row in table[1:]] == ["60", "180", "540"]
        assert [int(row[1]) for row in table[1:]] == pytest.approx([1000, 333, 0], abs=40)
        assert "warning: no trial reaches rung 540 s: a full training takes at most about 3 min 00 s; lower" in ran.out
        data = json.loads(sweep("plan", spec, "--gpus", 10, "--step-seconds", 20, "--json").out)
        assert (data["scheduler"]["unit"], data["scheduler"]["max_step"], data["max_step"]) == ("seconds", 900, 9)

    def test_rungs_at_steps_that_time_keeps_trials_from(self, sweep: Sweep, spec: Path) -> None:
        spec.write_text(SPEC.replace("{method: none}", "{method: asha, grace_period: 1, reduction_factor: 2}"))
        ran = sweep("plan", spec, "--gpus", 10, "--step-seconds", 100, "--set", "trial.max_time=150s")
        assert (
            "warning: no trial reaches rung 4: trial.max_time ends every trial after 2 min 30 s; raise it, or set"
            in ran.out
        )
