"""What the default search promises: it learns, from failures too, and never stops exploring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.rows import Config
from orchestrator.core.search import Observation, Outcome
from orchestrator.core.search.auto.method import Auto
from orchestrator.core.search.auto.roles import EXPLORING, PATIENT, Role, explores, role
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.search.sobol import sobol
from orchestrator.spec import Space, parse_spec

MIXED: dict[str, Any] = {
    "lr": {"loguniform": [1e-5, 1e-1]},
    "width": {"logint": [16, 512]},
    "dropout": {"uniform": [0, 0.5]},
    "optimizer": {"choice": ["sgd", "adam", "lion"]},
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
}


def space_of(parameters: dict[str, Any], constraints: list[str] | None = None) -> Space:
    data = {
        "trainable": "x:y",
        "space": parameters,
        "constraints": constraints or [],
        "objective": {"metric": "loss"},
    }
    return parse_spec(data, base=Path()).parameter_space()


def loss_of(config: Config) -> float:
    """Best for sgd with lr 1e-3, width 128, dropout 0.2 and momentum 0.9."""
    from math import log10

    off = (log10(config["lr"]) + 3) ** 2 / 2 + (log10(config["width"] / 128)) ** 2 + (config["dropout"] - 0.2) ** 2
    return float(off + (5 * (config["momentum"] - 0.9) ** 2 if "momentum" in config else 0.3))


def told(number: int, config: Config, value: float | None, outcome: Outcome = Outcome.COMPLETED) -> Observation:
    return Observation(number=number, config=config, outcome=outcome, value=value, step=9, train_s=9.0)


class Played:
    """Asks one trial after the other and tells each."""

    def __init__(self, search: Any, space: Space) -> None:
        self.search = search
        self.space = space
        self.configs: list[Config] = []

    def accept(self, config: Config, times: int = 1) -> bool:
        return config not in self.configs and self.space.feasible(config)

    def play(self, trials: int, fails: Any = lambda config: False) -> Played:
        for number in range(len(self.configs), len(self.configs) + trials):
            config = self.search.ask(number, self.accept)
            assert config is not None
            self.configs.append(config)
            failed = fails(config)
            self.search.tell(
                told(number, config, None, Outcome.FAILED) if failed else told(number, config, loss_of(config))
            )
        return self

    @property
    def best(self) -> float:
        return min(map(loss_of, self.configs))


def played(space: Space, trials: int, seed: int = 0, **how: Any) -> Played:
    return Played(Auto(space, seed, "min", 9), space).play(trials, **how)


def test_it_finds_more_than_random_search_where_parameters_are_mixed_and_conditional() -> None:
    space = space_of(MIXED, ["width * dropout < 200"])
    ours = sorted(played(space, 40, seed).best for seed in range(5))
    chance = sorted(Played(RandomSearch(space, seed), space).play(40).best for seed in range(5))
    assert ours[2] < chance[2] / 3


def test_the_first_trials_are_those_of_sobol() -> None:
    space = space_of(MIXED)
    assert played(space, 10).configs == Played(sobol(space, 0), space).play(10).configs


def test_failures_teach() -> None:
    def fails(config: Config) -> bool:
        return bool(config["width"] > 50)

    chance = ours = 0
    for seed in range(4):
        ours += sum(map(fails, played(space_of(MIXED), 30, seed, fails=fails).configs))
        chance += sum(map(fails, Played(RandomSearch(space_of(MIXED), seed), space_of(MIXED)).play(30).configs))
    assert ours < 0.65 * chance


def test_divergence_teaches_as_failures_do() -> None:
    space = space_of({"lr": {"loguniform": [1e-5, 1]}, "x": {"uniform": [0, 1]}})
    search = Auto(space, 0, "min", 9)
    diverged = 0
    for number in range(40):
        config = search.ask(number, lambda config, times=1: True)
        assert config is not None
        wild = config["lr"] > 1e-3
        diverged += wild and number >= 20
        search.tell(told(number, config, None if wild else config["x"], Outcome.DIVERGED if wild else Outcome.RUNG))
    assert diverged <= 4  # of 20; by chance 12


def test_exploration_never_ends_and_does_not_depend_on_what_was_found() -> None:
    exploring = [number for number in range(10_000) if explores(3, number)]
    assert len(exploring) == pytest.approx(10_000 * EXPLORING, rel=0.1)
    assert max(exploring) > 9_900
    patient = [number for number in exploring if role(3, number) is Role.PATIENT]
    assert len(patient) == pytest.approx(len(exploring) * PATIENT, rel=0.15)
    space = space_of(MIXED)
    late = next(number for number in exploring if number > 40)
    one, other = played(space, 30, 3), Played(Auto(space, 3, "max", 9), space).play(30)
    assert one.search.ask(late, one.accept) == other.search.ask(late, other.accept)


def test_the_users_guess_comes_first_then_trials_near_it() -> None:
    space = space_of(MIXED | {"lr": {"loguniform": [1e-5, 1e-1], "prior": 3e-4}})
    runs = [played(space, 10, seed).configs for seed in range(30)]
    assert {configs[0]["lr"] for configs in runs} == {3e-4}
    assert sum(1e-4 < config["lr"] < 1e-3 for configs in runs for config in configs[1:]) >= 80  # by chance 67


def test_a_wrong_guess_costs_little() -> None:
    wrong = space_of(MIXED | {"lr": {"loguniform": [1e-5, 1e-1], "prior": 9e-2}})
    assert min(played(wrong, 50, seed).best for seed in range(2)) < 0.05


@pytest.mark.parametrize("parameters", [1, 100])
def test_any_number_of_parameters(parameters: int) -> None:
    space = space_of({f"x{at}": {"uniform": [0, 1]} for at in range(parameters)})
    search = Auto(space, 0, "max", 9)
    for number in range(25):
        config = search.ask(number, lambda config, times=1: True)
        assert config is not None
        search.tell(told(number, config, sum(config.values()), Outcome.RUNG))
    assert sum(config.values()) > 0.5 * parameters


def test_many_trials_that_run_at_once_differ() -> None:
    space = space_of(MIXED)
    search = played(space, 30).search
    configs = [search.ask(number, lambda config, times=1: True) for number in range(30, 130)]
    assert len({space.key(config) for config in configs if config}) == 100


def test_grids_are_used_up() -> None:
    space = space_of({"a": {"grid": [1, 2, 3]}, "b": {"choice": ["x", "y"]}, "c": {"grid": [0.1, 0.2]}})
    tried: list[Config] = []
    search = Auto(space, 0, "min", 9)

    def accept(config: Config, times: int = 1) -> bool:
        return config not in tried

    while (config := search.ask(len(tried), accept)) is not None:
        tried.append(config)
        search.tell(told(len(tried) - 1, config, config["a"] + config["c"]))
    assert len(tried) == 12


@pytest.mark.parametrize("values", [[0.0], [1e300, -1e300, 1.0], [1e97, 2.0, 1.0, 1.5], [1e-300, 2e-300], [-5.0, 5.0]])
@pytest.mark.parametrize("outcome", [Outcome.RUNG, Outcome.DIVERGED])
def test_any_finite_objective(values: list[float], outcome: Outcome) -> None:
    space = space_of({"x": {"uniform": [0, 1]}, "c": {"choice": ["only"]}, "n": {"int": [1, 3]}})
    search = Auto(space, 0, "max", None)
    for number in range(40):
        config = search.ask(number, lambda config, times=1: True)
        assert config is not None
        value = values[number % len(values)]
        broken = outcome is Outcome.DIVERGED and number % 2 == 0
        search.tell(told(number, config, None if broken else value, outcome if broken else Outcome.RUNG))


def test_nothing_but_failures() -> None:
    space = space_of(MIXED)
    assert len(played(space, 40, fails=lambda config: True).configs) == 40
