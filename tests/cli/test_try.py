"""`sweep try`: one trial in this process, however it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]


def test_reports_as_they_come_and_the_last_metrics(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--config", "{kind: fine, lr: 0.25}")
    assert ran.code == 0, ran.err
    assert "trial 0: lr=0.25 kind=fine momentum=" in ran.err
    assert "hello from the trainable" in ran.out
    assert [line.split("  ")[0].split() for line in ran.out.splitlines() if line.startswith("step")] == [
        ["step", str(step)] for step in range(1, 6)
    ]
    assert ran.out.splitlines()[-1] == "loss: best 0.2 at step 5, last 0.2"


@pytest.mark.parametrize(("note", "code"), [(1, 0), (2, 2)])
def test_what_best_prints_can_be_tried(sweep: Sweep, spec: Path, note: int, code: int) -> None:
    """It prints the fixed values, too; to try others of them, there is --set."""
    config = f"{{note: {note}, kind: fine, lr: 0.25}}"
    assert sweep("try", spec, "--set", "fixed.note=1", "--config", config).code == code


def test_the_drawn_configuration_is_that_of_trial_0(sweep: Sweep, spec: Path) -> None:
    first = sweep("try", spec, "--set", "space.kind={choice: [fine]}").err.splitlines()[0]
    again = sweep("try", spec, "--set", "space.kind={choice: [fine]}", "--steps", 1).err.splitlines()[0]
    other = sweep("try", spec, "--set", "space.kind={choice: [fine]}", "--seed", 5).err.splitlines()[0]
    assert first == again != other


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("raises", 1, "error: the trial failed after 2 reports: ValueError: no good"),
        ("exits", 1, "sys.exit(3)"),
        ("silent", 1, "ended without a report"),
        ("other", 1, "never reported 'loss', only accuracy"),
        ("diverges", 0, "diverged"),
    ],
)
def test_how_trials_end(sweep: Sweep, spec: Path, kind: str, code: int, said: str) -> None:
    ran = sweep("try", spec, "--config", f"{{kind: {kind}}}")
    assert ran.code == code
    assert said in ran.err
    assert "orchestrator/" not in ran.err, "our own frames are not the user's business"


@pytest.mark.parametrize("attribute", ["Model", "tuned"])
def test_every_shape(sweep: Sweep, spec: Path, attribute: str) -> None:
    ran = sweep("try", spec, "--set", f"trainable=train.py:{attribute}")
    assert ran.code == 0, ran.err
    assert "loss: best" in ran.out


def test_steps(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--config", "kind: fine", "--steps", 2)
    assert ran.code == 0
    assert "stopped after 2 reports" in ran.err
    assert "step 3" not in ran.out


def test_an_objective_that_is_not_reported_shows_in_the_first_steps(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--config", "kind: other", "--steps", 2)
    assert "warning: no report contains the objective loss" in ran.err
    assert "warning" not in sweep("try", spec, "--config", "kind: fine", "--steps", 2).err


def test_steps_in_another_unit_than_the_length_show_at_the_first_report(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--config", "kind: fine", "--set", "fixed.epochs=50")
    assert "warning: trial 0 ended by itself at step 5, but a full training has 50 steps (epochs)" in ran.err
    ran = sweep("try", spec, "--config", "kind: fine", "--set", "fixed.epochs=2")
    assert "warning: trial 0 reports step 4, but a full training has 2 steps (epochs): let step count epochs" in ran.err
    events = sweep("try", spec, "--config", "kind: fine", "--set", "fixed.epochs=2", "--json").out.splitlines()
    assert [json.loads(line)["event"] for line in events].count("note") == 1
    assert "full training" not in sweep("try", spec, "--config", "kind: fine").err


def test_the_steps_of_a_trial_that_reports_each_in_two_parts(sweep: Sweep, spec: Path) -> None:
    (spec.parent / "train.py").write_text(
        "def train(config, trial):\n"
        "    for epoch in range(1, 6):\n"
        "        trial.report(step=epoch, train_loss=1.0)\n"
        "        trial.report(step=epoch, loss=0.5)\n"
    )
    ran = sweep("try", spec, "--steps", 2)
    assert "stopped after 2 reports" in ran.err
    assert "warning" not in ran.err
    assert ran.out.splitlines()[-1] == "loss: best 0.5 at step 1, last 0.5"


def test_a_function_that_returns_a_number_is_told_what_to_return(sweep: Sweep, spec: Path) -> None:
    (spec.parent / "train.py").write_text("def train(config):\n    return 0.25\n")
    ran = sweep("try", spec)
    assert ran.code == 1
    assert "train returned 0.25 and reported nothing; return {'loss': …}, or call tune.report({'loss': …})" in ran.err
    (spec.parent / "train.py").write_text("def train(config):\n    return {'loss': 0.25}\n")
    assert sweep("try", spec).code == 0


def test_pdb_opens_where_it_was_raised(sweep: Sweep, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_configuration_outside_the_space(sweep: Sweep, spec: Path, config: str, said: str) -> None:
    ran = sweep("try", spec, "--config", config)
    assert ran.code == 2
    assert said in ran.err
