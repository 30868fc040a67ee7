"""The contract of every search method, and what each method promises beyond it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.rows import Config
from orchestrator.core.search import Observation, Outcome, Search
from orchestrator.core.search.auto.method import Auto
from orchestrator.core.search.dimension import Dimension
from orchestrator.core.search.optuna_sampler import tpe
from orchestrator.core.search.own_method import OwnMethod
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.search.sequence import grid, listed
from orchestrator.core.search.sobol import sobol
from orchestrator.spec import Space, parse_spec

CONTINUOUS: dict[str, Any] = {
    "lr": {"loguniform": [1e-5, 1]},
    "optimizer": {"choice": ["sgd", "adam"]},
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
    "layers": {"int": [1, 4]},
    "width": {"logint": [16, 256], "step": 16},
    "batch": {"choice": [32, 64, 128], "ordered": True},
    "noise": {"normal": [0, 1]},
    "scale": {"lognormal": [0, 1]},
}
FINITE: dict[str, Any] = {
    "optimizer": {"choice": ["sgd", "adam"]},
    "momentum": {"grid": [0.5, 0.9], "when": "optimizer == 'sgd'"},
    "layers": {"int": [1, 4]},
}
FINITE_CELLS = (2 * 4 + 4) - 1  # conditional, less the one forbidden below


def space_of(parameters: dict[str, Any], constraints: list[str]) -> Space:
    data = {
        "trainable": "x:y",
        "space": parameters,
        "constraints": constraints,
        "objective": {"metric": "loss"},
    }
    return parse_spec(data, base=Path()).parameter_space()


WIDE = space_of(CONTINUOUS, ["layers * width <= 512"])
NARROW = space_of(FINITE, ["not (optimizer == 'adam' and layers == 4)"])

CELLS = list(NARROW.cells() or ())


class Draws:
    """A class of the user: independent draws that learn nothing."""

    def __init__(self, space: Space, seed: int, mode: str) -> None:
        self.space, self.seed = space, seed

    def ask(self, number: int) -> Config:
        return self.space.sample(random.Random(f"{self.seed}-{number}"))

    def tell(self, number: int, config: Config, value: float | None, step: int | None, outcome: str) -> None: ...


METHODS = {
    "auto": lambda space, seed: Auto(space, seed, "min", 3),
    "random": lambda space, seed: RandomSearch(space, seed),
    "sobol": sobol,
    "tpe": lambda space, seed: tpe(space, seed, "min"),
    "own": lambda space, seed: OwnMethod(space, seed, "min", Draws, {}, name="Draws"),
    "grid": lambda space, seed: grid(NARROW),
    "list": lambda space, seed: listed(CELLS),
}


def anything(config: Config, times: int = 1) -> bool:
    """Accept every configuration."""
    return True


def completed(number: int, config: Config, value: float) -> Observation:
    return Observation(number=number, config=config, outcome=Outcome.COMPLETED, value=value, step=1, train_s=1.0)


class Asking:
    """Asks a method as the state machine does: accepts no duplicates and no infeasible configurations."""

    def __init__(self, space: Space, search: Search) -> None:
        self.space = space
        self.search = search
        self.tried: Counter[str] = Counter()
        self.configs: list[Config] = []

    def accept(self, config: Config, times: int = 1) -> bool:
        return self.tried[self.space.key(config)] < times and self.space.feasible(config)

    def ask(self) -> Config | None:
        number = len(self.configs)
        config = self.search.ask(number, self.accept)
        if config is not None:
            self.tried[self.space.key(config)] += 1
            self.configs.append(config)
        return config


def space_for(name: str) -> Space:
    return NARROW if name in ("grid", "list") else WIDE


@pytest.mark.parametrize("name", METHODS)
class TestEveryMethod:
    def asking(self, name: str, seed: int = 0, space: Space | None = None) -> Asking:
        space = space or space_for(name)
        return Asking(space, METHODS[name](space, seed))

    def play(self, asking: Asking, endings: list[Outcome | None], value: float = 1.0) -> list[Observation]:
        """Ask for trials; tell a rung of each, and its end, or cancel it (None). Returns what was told."""
        told: list[Observation] = []

        def tell(number: int, config: Config, outcome: Outcome, value: float | None) -> None:
            step = 1 if outcome is Outcome.RUNG else 2
            told.append(
                Observation(number=number, config=config, outcome=outcome, value=value, step=step, train_s=1.0 * step)
            )
            asking.search.tell(told[-1])

        for number, ending in enumerate(endings):
            config = asking.ask()
            if config is None:
                break
            value = (value * 7919) % 13
            tell(number, config, Outcome.RUNG, value)
            if ending is None:
                asking.search.forget(number)
            elif ending is not Outcome.RUNG:
                tell(number, config, ending, None if ending in (Outcome.DIVERGED, Outcome.FAILED) else value)
        return told

    endings = st.lists(st.sampled_from([*Outcome, None]), min_size=1, max_size=25)

    @settings(derandomize=True, deadline=None, max_examples=8)
    @given(endings=endings, seed=st.integers(0, 3))
    def test_configurations_are_in_the_space_feasible_and_new(
        self, name: str, endings: list[Outcome | None], seed: int
    ) -> None:
        asking = self.asking(name, seed)
        self.play(asking, endings)
        for config in asking.configs:
            assert asking.space.mistakes_in(config) == []
            assert asking.space.feasible(config)
        assert len({asking.space.key(config) for config in asking.configs}) == len(asking.configs)

    @settings(derandomize=True, deadline=None, max_examples=8)
    @given(endings=endings)
    def test_the_same_seed_and_tells_give_the_same(self, name: str, endings: list[Outcome | None]) -> None:
        one, two = self.asking(name), self.asking(name)
        self.play(one, endings)
        self.play(two, endings)
        assert one.configs == two.configs

    @settings(derandomize=True, deadline=None, max_examples=8)
    @given(endings=endings)
    def test_a_replay_rebuilds_it(self, name: str, endings: list[Outcome | None]) -> None:
        before = self.asking(name)
        told = self.play(before, endings)
        after = self.asking(name)
        after.tried, after.configs = Counter(before.tried), list(before.configs)
        for number, config in enumerate(before.configs):
            after.search.resume(number, config)
            for each in told:
                if each.number == number:
                    after.search.tell(each)
            if endings[number] is None:
                after.search.forget(number)
        assert after.ask() == before.ask()

    def test_trials_that_run_may_be_resumed_and_told(self, name: str) -> None:
        asking = self.asking(name)
        running = [asking.ask() for _ in range(4)]
        again = METHODS[name](asking.space, 0)
        for number, config in enumerate(running):
            assert config is not None
            again.resume(number, config)
        for number, config in reversed(list(enumerate(running))):
            assert config is not None
            again.tell(completed(number, config, float(number)))
        assert again.ask(4, asking.accept) is not None

    def test_a_small_space_is_used_up_completely_and_then_none(self, name: str) -> None:
        asking = self.asking(name, space=NARROW)
        while asking.ask() is not None:
            asking.search.forget(len(asking.configs) - 1)
        assert len(asking.configs) == FINITE_CELLS
        assert asking.ask() is None


@pytest.mark.parametrize("name", ["random", "sobol", "tpe"])
def test_another_seed_gives_another_search(name: str) -> None:
    firsts = [METHODS[name](WIDE, seed).ask(0, anything) for seed in range(3)]
    assert firsts[0] != firsts[1] != firsts[2]


def test_random_draws_depend_on_seed_and_number_alone() -> None:
    one, two = RandomSearch(WIDE, 5), RandomSearch(WIDE, 5)
    forwards = [one.ask(number, WIDE.feasible) for number in range(20)]
    backwards = [two.ask(number, WIDE.feasible) for number in reversed(range(20))]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("constraints", [[], ["x < 0.2"]])
def test_sobol_goes_on_after_a_restart_however_many_trials_there_were(constraints: list[str]) -> None:
    space = space_of({"x": {"uniform": [0, 1]}}, constraints)
    tried: dict[float, Config] = {}

    def accept(config: Config, times: int = 1) -> bool:
        return space.feasible(config) and (config["x"] in tried) < times

    def go_on(trials: int) -> None:
        search = sobol(space, 0)
        for _ in range(trials):
            config = search.ask(len(tried), accept)
            assert config is not None
            tried[config["x"]] = config

    for trials in (1100, 50, 50):
        go_on(trials)
    restarted = list(tried)
    tried.clear()
    go_on(1200)
    assert list(tried) == restarted


def test_sobol_ends_when_each_cell_was_tried_also_after_a_restart() -> None:
    space = space_of({"x": {"int": [1, 9]}}, [])
    tried = [{"x": 1}, {"x": 2}]

    def accept(config: Config, times: int = 1) -> bool:
        return tried.count(config) < times

    search = sobol(space, 0)
    while (config := search.ask(len(tried), accept)) is not None:
        tried.append(config)
    assert sorted(each["x"] for each in tried) == list(range(1, 10))
    assert sobol(space, 0).ask(9, accept) is None


def test_sobol_fills_the_line_evenly() -> None:
    space = space_of({"x": {"uniform": [0, 1]}}, [])
    search = sobol(space, 3)
    points = sorted((search.ask(n, anything) or {})["x"] for n in range(64))
    assert all(i / 64 <= x < (i + 1) / 64 for i, x in enumerate(points))


def test_grid_varies_the_last_parameter_fastest() -> None:
    space = space_of({"a": {"grid": [1, 2]}, "b": {"choice": ["x", "y"]}}, [])
    walk = grid(space)
    cells = [walk.ask(n, anything) for n in range(5)]
    assert cells == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}, None]


@pytest.mark.parametrize("repeated", [lambda repeats: grid(NARROW, repeats), lambda repeats: listed(CELLS, repeats)])
class TestRepeats:
    def test_all_once_and_then_all_once_more(self, repeated: Callable[[int], Search]) -> None:
        asking = Asking(NARROW, repeated(3))
        while asking.ask() is not None:
            pass
        assert asking.configs == 3 * CELLS

    def test_a_restart_goes_on_where_it_was(self, repeated: Callable[[int], Search]) -> None:
        before = Asking(NARROW, repeated(3))
        for stop in range(3 * FINITE_CELLS):
            after = Asking(NARROW, repeated(3))
            after.tried, after.configs = Counter(before.tried), list(before.configs)
            assert after.ask() == before.ask() == (3 * CELLS)[stop]


def test_tpe_learns_where_random_does_not() -> None:
    """On a quadratic in four dimensions, tpe's last 20 trials are far better on average than random ones."""
    space = space_of({f"x{i}": {"uniform": [-1, 1]} for i in range(4)}, [])

    def late_mean(search: Search) -> float:
        values = []
        for number in range(60):
            config = search.ask(number, anything)
            assert config is not None
            values.append(sum((x - 0.3) ** 2 for x in config.values()))
            search.tell(completed(number, config, values[-1]))
        return sum(values[-20:]) / 20

    learnt = sum(late_mean(tpe(space, seed, "min")) for seed in range(3))
    drawn = sum(late_mean(RandomSearch(space, seed)) for seed in range(3))
    assert learnt < 0.5 * drawn


def test_tpe_prefers_the_better_half_in_either_mode() -> None:
    space = space_of({"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}}, [])
    for mode, sign in (("min", 1), ("max", -1)):
        search = tpe(space, 0, mode)
        configs = []
        for number in range(60):
            config = search.ask(number, anything)
            assert config is not None
            configs.append(config)
            search.tell(completed(number, config, sign * (config["x"] + (config["kind"] == "b"))))
        assert sum(config["kind"] == "a" for config in configs[40:]) > 14
        assert sum(config["x"] < 0.5 for config in configs[40:]) > 14


def test_tpe_avoids_where_trials_diverge_and_fail() -> None:
    for outcome in (Outcome.DIVERGED, Outcome.FAILED):
        space = space_of({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}}, [])
        search, bad = tpe(space, 0, "max"), 0
        for number in range(60):
            config = search.ask(number, anything)
            assert config is not None
            if config["x"] > 0.4:
                bad += number >= 30
                search.tell(Observation(number=number, config=config, outcome=outcome))
            else:
                search.tell(completed(number, config, config["y"]))
        assert bad < 9  # 18 by chance


def test_true_and_one_are_different_values() -> None:
    options = [1, True, 0, False, [1], None]
    dimension = Dimension(space_of({"x": {"choice": options}}, []).parameters["x"])
    assert [dimension.encode(option) for option in options] == list(range(len(options)))


def test_a_random_draw_is_the_distribution() -> None:
    rng = random.Random(0)
    layers = [WIDE.sample(rng)["layers"] for _ in range(4000)]
    assert all(abs(layers.count(value) / 4000 - 0.25) < 0.03 for value in (1, 2, 3, 4))


WEIGHTED = space_of({"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b", "c"], "weights": [8, 1, 1]}}, [])


@pytest.mark.parametrize(
    ("method", "asked"),
    [(RandomSearch, 200), (sobol, 64), (lambda *a: Auto(*a, "min", 9), 60), (lambda *a: tpe(*a, "min"), 10)],
)
def test_draws_without_results_follow_the_weights(method: Callable[..., Search], asked: int) -> None:
    search = method(WEIGHTED, 0)
    seen = Counter(str((search.ask(number, lambda *_: True) or {})["kind"]) for number in range(asked))
    assert 0.65 < seen["a"] / asked <= 1


def test_results_count_for_more_than_weights() -> None:
    search, seen = Auto(WEIGHTED, 0, "min", 9), []
    for number in range(120):
        config = search.ask(number, lambda *_: True)
        assert config is not None
        loss = float(config["kind"] != "c") + float(config["x"])
        search.tell(
            Observation(number=number, config=config, outcome=Outcome.COMPLETED, value=loss, step=9, train_s=1.0)
        )
        seen.append(config["kind"])
    assert seen[60:].count("c") > 30
