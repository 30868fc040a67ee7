"""W&B sweeps, Optuna studies and Ray Tune's search spaces become specs, and what cannot be translated is said."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft
from orchestrator.first_spec.read import draft_from


def values(proposed: Any) -> dict[str, Any]:
    return {name: each.value for name, each in proposed.items()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def of_wandb(**changes: Any) -> Draft:
    sweep = {
        "program": "train.py",
        "method": "bayes",
        "metric": {"name": "val/loss", "goal": "minimize"},
        "parameters": {"lr": {"min": 0.001, "max": 0.1}},
    }
    Path("wandb.yaml").write_text(yaml.safe_dump(sweep | changes))
    return draft_from("wandb.yaml", Path())


@pytest.mark.parametrize(
    ("parameter", "ours"),
    [
        ({"values": ["adam", "sgd"]}, {"choice": ["adam", "sgd"]}),
        ({"values": [1, 2], "probabilities": [0.9, 0.1]}, {"choice": [1, 2], "weights": [0.9, 0.1]}),
        ({"min": 1, "max": 9}, {"int": [1, 9]}),
        ({"min": 0.0, "max": 1.0}, {"uniform": [0.0, 1.0]}),
        ({"min": 0, "max": 0.5}, {"uniform": [0.0, 0.5]}),
        ({"distribution": "uniform", "min": 1, "max": 9}, {"uniform": [1.0, 9.0]}),
        ({"distribution": "q_uniform", "min": 8, "max": 64, "q": 8}, {"int": [8, 64], "step": 8}),
        ({"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25}, {"uniform": [0.0, 1.0], "step": 0.25}),
        ({"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1}, {"loguniform": [1e-5, 0.1]}),
        ({"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 0.1}, {"loguniform": [1e-5, 0.1]}),
        ({"distribution": "log_uniform", "min": -3, "max": 0}, {"loguniform": [math.exp(-3), 1.0]}),
        ({"distribution": "inv_log_uniform", "min": 0, "max": 3}, {"loguniform": [math.exp(-3), 1.0]}),
        ({"distribution": "q_log_uniform_values", "min": 32, "max": 256, "q": 8}, {"logint": [32, 256], "step": 8}),
        ({"distribution": "normal", "mu": 1, "sigma": 2}, {"normal": [1.0, 2.0]}),
        ({"distribution": "q_log_normal", "mu": 1, "sigma": 2}, {"lognormal": [1.0, 2.0], "step": 1}),
    ],
)
def test_each_distribution_of_wandb(parameter: dict[str, Any], ours: dict[str, Any]) -> None:
    assert values(of_wandb(parameters={"x": parameter}).space) == {"x": ours}


def test_a_whole_sweep_of_wandb() -> None:
    draft = of_wandb(
        name="first",
        method="random",
        metric={"name": "val/acc", "goal": "maximize", "target": 0.9},
        run_cap=30,
        parameters={"epochs": {"value": 9}, "optim": {"parameters": {"lr": {"min": 0.1, "max": 0.2}}}},
        early_terminate={"type": "hyperband", "max_iter": 27, "s": 2, "eta": 3},
        command=["${env}", "python3", "-u", "${program}", "${args_no_hyphens}", "${envvar:TAG}"],
    )
    assert draft.name == "first"
    assert draft.runs[1].value == "python3 -u train.py epochs={epochs} optim.lr={optim.lr}"
    assert values(draft.fixed) == {"epochs": 9}
    assert draft.objective.value == {"metric": "val/acc", "mode": "max"}
    assert values(draft.sections) == {
        "search": {"method": "random"},
        "scheduler": {"method": "asha", "reduction_factor": 3, "grace_period": 3, "max": 27},
        "budget": {"trials": 30, "target": 0.9},
    }
    assert "${envvar:TAG} in the command has no counterpart and was left out." in draft.notes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {"x": 3}}, r"parameters\.x is 3"),
        ({"parameters": {"x": {"min": "a", "max": 1}}}, r"parameters\.x\.min is 'a'"),
        ({"parameters": {"x": {"values": []}}}, r"parameters\.x has no values"),
        ({"parameters": None}, "no sweep of W&B"),
        ({"metric": "loss"}, "metric is 'loss'"),
    ],
)
def test_a_sweep_of_wandb_that_is_not_one(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        of_wandb(**changes)


def test_what_wandb_has_alone_is_said() -> None:
    draft = of_wandb(parameters={"x": {"distribution": "beta", "min": 0, "max": 1}}, controller={"type": "local"})
    assert draft.notes[0] == "x: the distribution beta has no counterpart; give the range yourself."
    assert "controller has no counterpart." in draft.notes


def studied(storage: str, name: str = "first", direction: str = "maximize") -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: optuna.Trial) -> float:
        lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        kind = trial.suggest_categorical("kind", ["a", "b"])
        trial.suggest_int("layers", 1, 9, step=2)
        if kind == "b":
            trial.suggest_float("share", 0.0, 1.0, step=0.1)
        return lr

    sampler = optuna.samplers.RandomSampler(seed=1)
    optuna.create_study(storage=storage, study_name=name, direction=direction, sampler=sampler).optimize(
        objective, n_trials=8
    )


def test_a_study_of_optuna() -> None:
    studied("sqlite:///optuna.db")
    draft = draft_from("optuna.db", Path())
    assert values(draft.space) == {
        "lr": {"loguniform": [1e-5, 1e-1]},
        "kind": {"choice": ["a", "b"]},
        "layers": {"int": [1, 9], "step": 2},
        "share": {"uniform": [0.0, 1.0], "step": 0.1},
    }
    assert draft.objective.value == {"metric": "value", "mode": "max"}
    starts = draft.sections["search"].value["start"]
    rates = [each["lr"] for each in starts]
    assert rates == sorted(rates, reverse=True)
    assert draft.notes[0].startswith("Only some trials have share")


def test_a_study_is_named_where_there_are_several() -> None:
    studied("sqlite:///optuna.db", "one")
    studied("sqlite:///optuna.db", "two", "minimize")
    with pytest.raises(UserError, match=r"as in optuna\.db:one; it has one and two"):
        draft_from("optuna.db", Path())
    assert draft_from("optuna.db:two", Path()).objective.value["mode"] == "min"


def test_what_is_no_study() -> None:
    Path("empty.db").write_bytes(b"SQLite format 3\x00" + bytes(100))
    Path("x.bin").write_bytes(b"\xff\xfe")
    Path("notes.txt").write_text("hello")
    for path, words in {
        "empty.db": "Optuna cannot read it",
        "x.bin": "not a text file",
        "notes.txt": "give a training program",
        "none.py": "there is no such file",
        ".": "not a file",
    }.items():
        with pytest.raises(UserError, match=words):
            draft_from(path, Path())


RAY = """
from ray import tune
from ray.tune.schedulers import ASHAScheduler

SIZES = [2**i for i in range(3, 6)]

def train_cifar(config, data_dir=None):
    pass

def main(samples):
    space = {
        "l1": tune.choice(SIZES),
        "lr": tune.loguniform(1e-4, 1e-1),
        "n": tune.randint(1, 10),
        "q": tune.quniform(0, 1, 0.25),
        "optim": {"momentum": tune.uniform(0.1, 0.9), "name": "sgd"},
        "odd": tune.sample_from(lambda spec: 1),
    }
    tune.Tuner(
        tune.with_resources(tune.with_parameters(train_cifar, data_dir="x"), {"cpu": 2}),
        tune_config=tune.TuneConfig(
            metric="accuracy", mode="max", num_samples=25, scheduler=ASHAScheduler(max_t=9, grace_period=1)
        ),
        param_space=space,
    ).fit()
"""


def test_the_search_space_of_a_ray_tune_program() -> None:
    Path("train.py").write_text(RAY)
    draft = draft_from("train.py", Path())
    assert draft.runs[1].value == "train.py:train_cifar"
    assert values(draft.fixed) == {"optim.name": "sgd"}
    assert values(draft.space) == {
        "l1": {"choice": [8, 16, 32]},
        "lr": {"loguniform": [1e-4, 1e-1]},
        "n": {"int": [1, 9]},
        "q": {"uniform": [0.0, 1.0], "step": 0.25},
        "optim.momentum": {"uniform": [0.1, 0.9]},
    }
    assert draft.objective.value == {"metric": "accuracy", "mode": "max"}
    assert values(draft.sections) == {
        "scheduler": {"method": "asha", "max": 9, "grace_period": 1},
        "budget": {"trials": 25},
    }
    assert draft.notes[0].startswith("odd is not read: it is tune.sample_from")
