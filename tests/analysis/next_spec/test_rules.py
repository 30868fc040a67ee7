"""Each rule of the next spec, on sweeps with a known right answer."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from orchestrator.analysis.compare.importance import Weight
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds
from orchestrator.analysis.next_spec.apply_rules import Rule
from orchestrator.analysis.next_spec.choice_rules import drop_options, extend_options, refine_grid, trim_options
from orchestrator.analysis.next_spec.fix_unimportant import fix_unimportant
from orchestrator.analysis.next_spec.prior_results import FEWEST, PriorResults
from orchestrator.analysis.next_spec.prune import prune
from orchestrator.analysis.next_spec.range_rules import extend_range, narrow_range, recentre_normal
from orchestrator.analysis.next_spec.search_rules import learn_from, new_seed, start
from orchestrator.core.rows import Config
from orchestrator.spec import Space
from tests.analysis.results import Result, results
from trainables.declaration import Hyperparameter


def learnt(space: dict[str, Any], result: Result, *, trials: int = 60, weights: dict[str, float] | None = None,
           declared: tuple[Hyperparameter, ...] = (), **more: Any) -> PriorResults:  # fmt: skip
    """The results of a sweep. Weights: the upper end of a parameter's interval."""
    found = results(space, result, trials=trials, **more)
    return PriorResults(
        sweep="churn",
        results=found,
        trials=trials,
        weights={
            name: Weight(name=name, share=high / 2, low=0, high=high, trials=trials)
            for name, high in (weights or {}).items()
        },
        bounds={each.parameter: each for each in at_bounds(found)},
        declared={each.name: each for each in declared},
    )


def after(rule: Rule, prior: PriorResults, name: str = "x") -> tuple[Any, str]:
    """The rule's proposal for a parameter and its reason; (None, "") if it proposes nothing."""
    change = rule(prior, name, prior.space[name])
    if change is None:
        return None, ""
    value = change.edits[("space", name)]
    form = prior.space[name].form
    assert {key: value[key] for key in value if key != form}.items() <= prior.space[name].model_dump().items()
    return value[form], change.reason


def near(target: float, *, log: bool = False) -> Result:
    """The closer to the target, the better."""

    def result(config: Config, rng: random.Random) -> float:
        x = math.log10(config["x"]) if log else config["x"]
        return (x - target) ** 2 + rng.gauss(0, 1e-3)

    return result


class TestNarrow:
    def test_a_logarithmic_range_closes_in_on_its_own_scale(self) -> None:
        (low, high), reason = after(narrow_range, learnt({"x": {"loguniform": [1e-6, 1]}}, near(-3, log=True)))
        assert 1e-5 < low < 1e-3 < high < 1e-1
        assert reason.startswith("was [1e-06, 1]: the best 9 trials lie in [0.000")
        assert len(f"{low:g}".lstrip("0.")) <= 6  # two digits

    def test_all_good_values_stay_within(self) -> None:
        for form in ({"uniform": [-3, 7]}, {"int": [0, 100]}, {"uniform": [0, 1], "step": 0.05}, {"logint": [1, 999]}):
            prior = learnt({"x": form}, near(2.5 if "uniform" in form and form["uniform"][1] > 1 else 0.5))
            (low, high), _ = after(narrow_range, prior)
            assert all(low <= value <= high for value in prior.good_values("x"))
            assert low < high

    def test_steps_stay_the_same_ones(self) -> None:
        (low, high), _ = after(narrow_range, learnt({"x": {"uniform": [0.1, 2.1], "step": 0.2}}, near(1.0)))
        assert round((low - 0.1) / 0.2, 9).is_integer()
        assert round((high - 0.1) / 0.2, 9).is_integer()

    def test_a_single_integer_keeps_a_neighbour(self) -> None:
        assert after(narrow_range, learnt({"x": {"int": [1, 6]}}, near(4), trials=90))[0] == [4, 5]

    @pytest.mark.parametrize(
        ("form", "target"),
        [
            ({"loguniform": [1e-5, 1e-3]}, 0.0067),
            ({"loguniform": [1e-2, 1]}, 0.001),
            ({"uniform": [-3, 7]}, 9.0),
            ({"uniform": [-3, 7]}, -3.0),
            ({"uniform": [2, 4], "step": 0.1}, 1.0),
            ({"int": [10, 90]}, 99.0),
            ({"int": [1, 12]}, 12.0),
            ({"logint": [8, 512]}, 600.0),
        ],
    )
    @pytest.mark.parametrize("trials", [20, 60])
    def test_no_range_ends_at_a_bound_at_which_the_best_lie(
        self, form: dict[str, Any], target: float, trials: int
    ) -> None:
        log = next(iter(form)).startswith("log")
        result = near(math.log10(target) if log else target, log=log)
        bounds = next(iter(form.values()))
        for seed in range(5):
            prior = learnt({"x": form}, result, trials=trials, seed=seed)
            changed = after(extend_range, prior)[0] or after(narrow_range, prior)[0]
            assert changed is not None
            low, high = changed
            upper = target >= sum(bounds) / 2
            assert high > bounds[1] if upper else low < bounds[0]
            assert type(low) is type(bounds[0]) or not isinstance(low, int)

    def test_a_share_stays_a_share(self) -> None:
        _, high = after(narrow_range, learnt({"x": {"uniform": [0.1, 0.9]}}, near(1.5), trials=20))[0]
        assert 0.9 < high <= 1
        assert after(narrow_range, learnt({"x": {"uniform": [0, 1]}}, near(1.5), trials=20))[0][1] == 1

    def test_not_where_the_good_ones_are_everywhere(self) -> None:
        assert after(narrow_range, learnt({"x": {"uniform": [0, 1]}}, lambda config, rng: rng.random()))[0] is None

    def test_chance_is_seldom_taken_for_more(self) -> None:
        def narrowed(weight: float) -> int:
            """How often of 100, where the five best lie anywhere."""
            space, weights = {"x": {"uniform": [0, 1]}}, {"x": weight}
            noise: Result = lambda config, rng: rng.random()  # noqa: E731
            found = (learnt(space, noise, trials=30, weights=weights, seed=seed) for seed in range(100))
            return sum(after(narrow_range, prior)[0] is not None for prior in found)

        assert narrowed(0.05) <= 3
        assert narrowed(0.5) <= 20

    def test_what_weighs_little_over_the_whole_range_may_count_among_the_good(self) -> None:
        prior = learnt({"x": {"uniform": [0, 1]}}, near(0.5), weights={"x": 0.01})
        assert after(narrow_range, prior)[0] is not None

    def test_a_few_outliers_among_many_hold_nothing_open(self) -> None:
        def mostly(config: Config, rng: random.Random) -> float:
            return 0.02 if config["x"] > 0.99 else abs(config["x"] - 0.3)

        prior = learnt({"x": {"uniform": [0, 1]}}, mostly, trials=400)
        assert max(prior.good_values("x")) > 0.99
        (_, high), reason = after(narrow_range, prior)
        assert high < 0.6
        assert reason.startswith("was [0, 1]: nine in ten of the best 60 trials lie in [0.2")

    def test_not_by_too_few_that_have_it(self) -> None:
        space = {"kind": {"choice": list("abcdefghij")}, "x": {"uniform": [0, 1], "when": "kind == 'a'"}}
        assert after(narrow_range, learnt(space, lambda config, rng: config.get("x", 0.5)))[0] is None


class TestShift:
    def test_beyond_the_bound_and_away_from_where_nothing_was_good(self) -> None:
        (low, high), reason = after(
            extend_range, learnt({"x": {"loguniform": [1e-6, 1e-2]}}, near(0, log=True), trials=200)
        )
        assert 1e-5 < low < 1e-2 < high == 1
        assert reason.startswith("was [1e-06, 0.01]: ")
        assert "best trials lie at the upper bound" in reason

    def test_a_lower_bound_on_its_steps(self) -> None:
        (low, high), _ = after(extend_range, learnt({"x": {"uniform": [3, 5], "step": 0.3}}, near(0), trials=200))
        assert low < 3 < high < 5
        assert round((3 - low) / 0.3, 9).is_integer()

    def test_not_beyond_what_the_trainable_takes(self) -> None:
        declared = (Hyperparameter(name="x", type=float, default=0.1, meaning="", high=5.0),)
        prior = learnt({"x": {"uniform": [0.5, 5]}}, near(9), trials=200, declared=declared)
        assert after(extend_range, prior)[0] is None
        assert after(narrow_range, prior)[0][1] == 5

    def test_not_in_the_middle(self) -> None:
        assert after(extend_range, learnt({"x": {"uniform": [0, 1]}}, near(0.5)))[0] is None


class TestRecentre:
    def test_mean_and_spread_of_the_good_ones(self) -> None:
        (mean, sd), reason = after(recentre_normal, learnt({"x": {"normal": [0, 2]}}, near(1.5), trials=90))
        assert 1 < mean < 2
        assert 0.2 <= sd < 1.5
        assert reason.startswith("was [0, 2]: the best 14 trials lie around 1.")

    def test_of_the_logarithm(self) -> None:
        prior = learnt({"x": {"lognormal": [0, 2]}}, lambda config, rng: (math.log(config["x"]) - 2) ** 2, trials=90)
        (mean, sd), _ = after(recentre_normal, prior)
        assert 1.5 < mean < 2.5
        assert sd < 1.5

    def test_not_where_they_are_everywhere(self) -> None:
        assert after(recentre_normal, learnt({"x": {"normal": [0, 2]}}, lambda config, rng: rng.random()))[0] is None


def among(*good: Any) -> Result:
    return lambda config, rng: (config["x"] not in good) + rng.random()


class TestOptions:
    def test_what_never_did_well_goes(self) -> None:
        left, reason = after(drop_options, learnt({"x": {"choice": ["a", "b", "c"]}}, among("a", "b")))
        assert left == ["a", "b"]
        assert reason.startswith("was also c: none of the ")
        assert reason.endswith("trials with it is among the best 9 trials")

    def test_those_that_stay_keep_their_weights(self) -> None:
        prior = learnt({"x": {"choice": ["a", "b", "c"], "weights": [1, 2, 3]}}, among("a", "b"))
        change = drop_options(prior, "x", prior.space["x"])
        assert change is not None
        assert change.edits[("space", "x")] == {"choice": ["a", "b"], "weights": [1.0, 2.0]} | {"ordered": False}
        prior = learnt({"x": {"choice": [32, 64, 128], "weights": [3, 1, 2], "ordered": True}}, among(128), trials=160)
        longer = extend_options(prior, "x", prior.space["x"])
        assert longer is not None
        assert longer.edits[("space", "x")]["weights"] == [3.0, 1.0, 2.0, 2.0]

    def test_lists_and_true_and_one_are_told_apart(self) -> None:
        assert after(drop_options, learnt({"x": {"choice": [[8], True, 1]}}, lambda c, rng: c["x"] is not True))[0] == [
            True
        ]

    def test_not_what_was_hardly_tried(self) -> None:
        space = {"x": {"choice": list("abcdefghijklmnopqrst")}}
        assert after(drop_options, learnt(space, lambda config, rng: rng.random(), trials=40))[0] is None

    def test_an_order_is_kept_and_neighbours_of_the_good_stay(self) -> None:
        space = {"x": {"choice": [8, 16, 32, 64, 128, 256], "ordered": True}}
        assert after(trim_options, learnt(space, among(32, 64)))[0] == [16, 32, 64, 128]
        assert after(drop_options, learnt(space, among(32, 64)))[0] is None

    @pytest.mark.parametrize(
        ("form", "good", "expected"),
        [
            ({"choice": [32, 64, 128], "ordered": True}, 128, [32, 64, 128, 256]),
            ({"choice": [128, 64, 32], "ordered": True}, 128, [256, 128, 64, 32]),
            ({"choice": [32, 64, 128], "ordered": True}, 32, [16, 32, 64, 128]),
            ({"grid": [0.1, 0.2, 0.3]}, 0.3, [0.1, 0.2, 0.3, 0.4]),
            ({"grid": [1, 2, 4]}, 1, None),  # there is no half layer
            ({"grid": [1, 2, 7]}, 7, None),  # who knows how it goes on
            ({"choice": [32, 64, 128]}, 128, None),  # in no order
            ({"grid": [5, 10, 15]}, 5, None),  # nothing below 0 by surprise
        ],
    )  # fmt: skip
    def test_a_row_of_numbers_goes_on(self, form: dict[str, Any], good: Any, expected: Any) -> None:
        value, reason = after(extend_options, learnt({"x": form}, among(good), trials=160))
        assert value == expected
        assert not value or "the last value" in reason

    def test_not_beyond_what_the_trainable_takes(self) -> None:
        declared = (Hyperparameter(name="x", type=int, default=1, meaning="", choices=(32, 64, 128)),)
        space = {"x": {"choice": [32, 64, 128], "ordered": True}}
        assert after(extend_options, learnt(space, among(128), trials=160, declared=declared))[0] is None

    @pytest.mark.parametrize(
        ("grid", "best", "finer"),
        [
            ([1e-4, 1e-3, 1e-2], 1e-3, [0.000316, 1e-3, 0.00316]),
            ([1, 2, 3, 5], 3, [2, 3, 4]),
            ([0.0, 0.5, 1.0], 1.0, [0.75, 1.0]),
            ([1, 2], 1, None),
            (["a", "b", "c"], "a", None),
        ],
    )
    def test_a_grid_becomes_finer_around_the_best(self, grid: list[Any], best: Any, finer: Any) -> None:
        prior = learnt({"x": {"grid": grid}}, lambda config, rng: float(config["x"] != best), method="grid")
        assert after(refine_grid, prior)[0] == finer


class TestFix:
    SPACE = {  # noqa: RUF012
        "x": {"uniform": [0, 1]},
        "y": {"uniform": [0, 1]},
        "z": {"choice": ["a", "b"]},
        "w": {"uniform": [0, 1], "when": "z == 'a'"},
    }

    def fixed(self, trials: int, **weights: float) -> list[str]:
        prior = learnt(self.SPACE, near(0.5), trials=trials, weights=weights)
        best = prior.ranked[0].config
        found = []
        for change in fix_unimportant(prior):
            (_, name), value = next(iter(change.edits.items()))
            assert change.at == ("fixed", name)
            assert value == best[name]
            assert change.edits[("space", name)] is None
            assert f"{trials} trials are too few for 4 parameters" in change.reason
            found.append(name)
        return found

    def test_what_matters_least_until_there_are_trials_enough(self) -> None:
        light = {"x": 0.9, "y": 0.05, "z": 0.02}
        assert self.fixed(19, **light) == ["z"]
        assert self.fixed(14, **light) == ["z", "y"]
        assert self.fixed(9, **light) == ["z", "y"]
        assert self.fixed(20, **light) == []

    def test_never_what_only_some_have(self) -> None:
        assert self.fixed(9, w=0.01) == []


class TestConsequences:
    PLAIN = {  # noqa: RUF012
        "trainable": "mine:train",
        "fixed": {},
        "space": {
            "kind": {"choice": ["a"]},
            "x": {"uniform": [0.0, 1.0], "when": "kind == 'b'"},
            "y": {"uniform": [0.0, 1.0], "when": "x > 0.5"},
            "z": {"uniform": [0.0, 1.0], "when": "kind == 'a'"},
        },
        "constraints": ["x < 0.9", "z < 0.9"],
        "objective": {"metric": "loss"},
    }

    def test_what_can_never_be_there_goes_with_all_that_names_it(self) -> None:
        plain, made = prune(self.PLAIN)
        assert list(plain["space"]) == ["kind", "z"]
        assert plain["constraints"] == ["z < 0.9"]
        assert all(change.at is None for change in made if change.edits != {("constraints",): ["z < 0.9"]})
        assert any(change.reason == "removed x: \"kind == 'b'\" never holds any more" for change in made)

    def test_what_good_trials_had_is_seldom_but_there(self) -> None:
        assert list(prune(self.PLAIN, keep=["x", "y"])[0]["space"]) == ["kind", "x", "y", "z"]

    def test_nothing_where_all_makes_sense(self) -> None:
        plain = {**self.PLAIN, "space": {"kind": {"choice": ["a", "b"]}}, "constraints": []}
        assert prune(plain) == (plain, [])


class TestSearch:
    def test_another_seed_but_for_a_grid(self) -> None:
        prior = learnt({"x": {"uniform": [0, 1]}}, near(0.5))
        change = new_seed(prior, {"seed": 7})
        assert change is not None
        assert change.edits == {("search", "seed"): 8}
        grid = learnt({"x": {"grid": [1, 2]}}, near(1), method="grid")
        assert new_seed(grid, {"seed": 7}) is None

    def test_it_learns_from_the_sweep_and_from_those_before_it(self) -> None:
        prior = learnt({"x": {"uniform": [0, 1]}}, near(0.5), method="tpe")
        change = learn_from(prior, {"from": ["older"]})
        assert change is not None
        assert change.edits == {("search", "from"): ["older", "churn"]}
        assert change.reason == "was older: the search learns from churn"
        assert learn_from(prior, {"from": ["churn"]}) is None
        assert learn_from(learnt({"x": {"uniform": [0, 1]}}, near(0.5), method="sobol"), {}) is None

    def test_it_begins_with_the_best_that_fit(self) -> None:
        prior = learnt({"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}}, near(0.5))
        smaller = Space({"x": prior.space["x"]})
        change = start(prior, {"start": []}, smaller)
        assert change is not None
        configs = change.edits[("search", "start")]
        assert [config.keys() for config in configs] == [{"x"}] * 3
        assert (
            change.reason == f"was empty: the best of churn, trials {', '.join(str(e.trial) for e in prior.ranked[:3])}"
        )

    def test_the_same_configuration_comes_once(self) -> None:
        prior = learnt({"x": {"choice": [1, 2]}}, near(1))
        change = start(prior, {"start": [{"x": 2}]}, Space(prior.space))
        assert change is not None
        assert change.edits[("search", "start")] == [{"x": 1}, {"x": 2}]
        assert change.reason.startswith("was 1 other: ")


def test_enough_is_enough() -> None:
    space = {"x": {"uniform": [0, 1]}}
    assert not learnt(space, near(0.5), trials=FEWEST - 1).enough
    assert learnt(space, near(0.5), trials=FEWEST).enough
