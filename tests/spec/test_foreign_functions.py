"""Functions for Optuna and Ray Tune are told from trainables before anything is trained."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from orchestrator.errors import SpecError, TrainableError
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import OBJECTIVE, declared_by, known, load

OPTUNA = "as an objective of Optuna, which takes the trial alone"
OBJECTIVES = [
    """
    def train(trial):
        return trial.suggest_float("x", 0, 1) ** 2
    """,
    """
    def train(trial):
        return helper(trial)
    """,
    """
    def train(t):
        x = t.suggest_int("x", 0, 1)
    """,
    """
    def train(trial, data=None):
        return trial.suggest_float("x", 0, 1) ** 2
    """,
    "train = lambda trial: helper(trial, 1)",
    """
    class Objective:
        def __call__(self, trial): ...
    train = Objective()
    """,
    """
    from functools import partial
    def objective(trial, data): ...
    train = partial(objective, data=1)
    """,
]
REFUSED = {
    """
    def train(config, trial):
        trial.report(step=1, loss=trial.suggest_categorical("x", [1]))
    """: f"train(config, trial) calls trial.suggest_categorical, {OPTUNA}",
    """
    from ray import tune
    def train(config, data):
        tune.report({"loss": len(data)})
    """: "train(config, data) calls tune.report, which works in functions (config) only",
    """
    def train(config, trial):
        import ray.tune as rt
        for step in range(3):
            rt.report({"loss": trial.number})
    """: "train(config, trial) calls rt.report",
    """
    from ray.tune import report
    def train(config, checkpoint_dir):
        report({"loss": 1.0})
    """: "train(config, checkpoint_dir) calls report",
    """
    def train(config, reporter):
        reporter(mean_loss=1.0)
    """: "train(config, reporter) calls reporter(…), as in old versions of Ray Tune",
}
TAKEN = [
    """
    from ray import tune
    def train(config, checkpoint_dir=None):
        tune.report({"loss": 1.0})
    """,
    """
    from ray import tune
    def train(config, trial):  # works in both
        if trial is None:
            tune.report({"loss": 1.0})
        else:
            trial.report(step=1, loss=1.0)
    """,
    """
    from ray import tune
    def train(config, trial):
        tune.report(helper(config, trial))
    """,
    """
    import report as tune
    def train(config, trial):
        tune.report(trial.report)
    """,
    """
    def suggest_float(): ...
    def train(config, trial):
        trial.report(step=1, loss=suggest_float())
    """,
    """
    def wrapped(function):
        return function
    @wrapped
    def train(config, trial):
        trial.report(step=1, loss=1.0)
    """,
    "train = lambda config, trial: trial.report(step=1, loss=1.0)",
    "exec('def train(config, trial): ...')",
]


def loaded(text: str, tmp_path: Path) -> object:
    (tmp_path / "report.py").write_text("def report(*_): ...")
    (tmp_path / "foreign.py").write_text(textwrap.dedent(text))
    return load("foreign.py:train", tmp_path)


@pytest.mark.parametrize("text", REFUSED)
def test_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(TrainableError) as refused:
        loaded(text, tmp_path)
    assert refused.value.problem.startswith(REFUSED[text])


@pytest.mark.parametrize("text", OBJECTIVES)
def test_an_objective_of_optuna_needs_no_space(text: str, tmp_path: Path) -> None:
    assert declared_by(loaded(text, tmp_path)) == OBJECTIVE
    spec = {"trainable": "foreign.py:train", "objective": {"metric": "loss"}, "search": {"method": "tpe"}}
    assert parse_spec(spec, base=tmp_path, resolve=known).space == {}
    with pytest.raises(SpecError, match="method sobol needs a space, and that of foreign"):
        parse_spec({**spec, "search": {"method": "sobol"}}, base=tmp_path, resolve=known)


def test_any_other_trainable_needs_one(tmp_path: Path) -> None:
    loaded(TAKEN[0], tmp_path)
    spec = {"trainable": "foreign.py:train", "objective": {"metric": "loss"}, "space": {}}
    with pytest.raises(SpecError, match="there is nothing to search"):
        parse_spec(spec, base=tmp_path, resolve=known)


@pytest.mark.parametrize("text", TAKEN)
def test_is_a_trainable(text: str, tmp_path: Path) -> None:
    loaded(text, tmp_path)
