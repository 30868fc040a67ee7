"""try --lr-range: the range test of the learning rate, as a picture, as a range for the spec, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestrator.cli.views.loss_chart import HEIGHT, loss_chart
from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]

SPEC = """
trainable: tabular
fixed: {data: table.csv, target: y, epochs: 2, batch_size: 16, width: 8, layers: 1}
space:
  lr: {loguniform: [1e-5, 1]}
objective: {metric: val_loss}
budget: {trials: 4}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
    frame["y"] = frame["a"] - 2 * frame["b"] + rng.normal(size=400) / 10
    frame.to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    return path


def test_a_picture_and_a_range_for_the_spec(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--lr-range")
    assert ran.code == 0, ran.err
    assert "lr=…" in ran.err
    *chart, _, said, rests_on, _, space, lr = ran.out.rstrip().splitlines()
    assert sum("┤" in line for line in chart) == HEIGHT
    assert said.startswith("the training loss falls between learning rates of ")
    assert "updates of adamw with 16 examples each" in rests_on
    low, high = (float(end) for end in lr.partition("[")[2].strip("]}").split(", "))
    assert space == "space:"
    assert 1e-6 <= low <= high / 10 <= 1


def test_as_json(sweep: Sweep, spec: Path) -> None:
    found = json.loads(sweep("try", spec, "--lr-range", "--format", "json", "--set", "fixed.optimizer=sgd").out)
    assert found["optimizer"] == "sgd"
    assert found["suggested"]["low"] < found["suggested"]["high"]
    assert found["curve"][0]["lr"] == pytest.approx(1e-7)


def test_a_trainable_with_a_loop_of_its_own_has_no_such_test(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def train(config, trial):\n    trial.report(step=1, loss=config['x'])\n")
    path = tmp_path / "own.yaml"
    path.write_text("trainable: own.py:train\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: loss}\n")
    ran = sweep("try", path, "--lr-range")
    assert ran.code == 2
    assert "own.py:train does not" in ran.err
    assert "--lr-range and --noise" not in ran.err


def test_one_question_at_a_time(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--lr-range", "--noise")
    assert ran.code == 2
    assert "--noise and --lr-range are different questions" in ran.err


def test_the_chart_is_as_high_as_the_loss_and_marks_the_range() -> None:
    rates = [10.0**-power for power in range(6, 0, -1)]
    chart = loss_chart(rates, [1.0, 1.0, 0.5, 0.0, 0.0, 9.0], marked=(1e-4, 1e-2)).splitlines()
    assert chart[0] == "2 ┤     █"  # of 9, what is more than the fall above the start is cut
    assert chart[HEIGHT // 2] == "  ┤██   █"
    assert chart[HEIGHT - 1] == "0 ┤███▁▁█"
    assert chart[HEIGHT + 1] == "     ▔▔▔"
    assert loss_chart([1e-3, 1e-2], [1.0, 1.0]).count("┤") == HEIGHT
