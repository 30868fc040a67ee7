"""Samplers of Optuna and classes of the user as search methods: what they are told, what they may propose."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orchestrator.core.rows import Config
from orchestrator.core.search import Observation, Outcome, Search
from orchestrator.core.search.optuna_sampler import OptunaSampler, tpe
from orchestrator.core.search.own_method import OwnMethod
from orchestrator.errors import SearchMethodError
from orchestrator.spec import Space
from tests.core.test_search_methods import NARROW, WIDE, Asking, anything, completed, space_of

SQUARE = space_of({"x": {"uniform": [-1, 1]}, "y": {"uniform": [-1, 1]}}, [])


def ended(number: int, config: Config, outcome: Outcome, value: float | None = None) -> Observation:
    return Observation(number=number, config=config, outcome=outcome, value=value, step=3)


def sampler(name: str, space: Space = SQUARE, mode: str = "min", **options: Any) -> OptunaSampler:
    return OptunaSampler(space, 0, mode, name, options)


class TestOptunaSamplers:
    @pytest.mark.parametrize("name", ["GPSampler", "NSGAIISampler", "NSGAIIISampler", "QMCSampler", "RandomSampler"])
    def test_every_sampler_proposes_feasible_configurations(self, name: str) -> None:
        asking = Asking(WIDE, sampler(name, WIDE))
        outcomes = [Outcome.COMPLETED, Outcome.STOPPED, Outcome.DIVERGED, Outcome.FAILED]
        for number in range(14):
            config = asking.ask()
            assert config is not None
            assert WIDE.mistakes_in(config) == []
            outcome = outcomes[number % 4]
            value = float(number) if outcome in (Outcome.COMPLETED, Outcome.STOPPED) else None
            asking.search.tell(ended(number, config, outcome, value))

    def test_a_gaussian_process_learns_and_is_rebuilt_by_the_same_tells(self) -> None:
        one, two = sampler("GPSampler", n_startup_trials=6), sampler("GPSampler", n_startup_trials=6)
        late = []
        for number in range(14):
            config = one.ask(number, anything)
            assert config is not None
            loss = (config["x"] - 0.3) ** 2 + (config["y"] + 0.3) ** 2
            two.resume(number, config)
            for each in (one, two):
                each.tell(ended(number, config, Outcome.COMPLETED if number % 2 else Outcome.STOPPED, loss))
            late += [loss] if number >= 10 else []
        assert min(late) < 0.03  # by chance: 0.3
        assert one.ask(14, anything) == two.ask(14, anything)

    @pytest.mark.parametrize("mode", ["min", "max"])
    def test_other_samplers_than_tpe_are_told_the_worst_value_of_trials_without_one(self, mode: str) -> None:
        search = sampler("RandomSampler", mode=mode)
        configs = [search.ask(number, anything) or {} for number in range(5)]
        search.tell(ended(0, configs[0], Outcome.FAILED))
        search.tell(ended(1, configs[1], Outcome.STOPPED, 2.0))
        search.tell(ended(2, configs[2], Outcome.COMPLETED, 5.0))
        search.tell(ended(3, configs[3], Outcome.DIVERGED))
        search.tell(ended(4, configs[4], Outcome.RUNG, 9.0))
        worst = 5.0 if mode == "min" else 2.0
        assert [trial.value for trial in search._study.trials if trial.state.name == "COMPLETE"] == [
            2.0,
            2.0,
            5.0,
            worst,
        ]

    def test_a_trial_that_fails_and_goes_on_did_not_fail(self) -> None:
        search, other = tpe(SQUARE, 0, "min"), tpe(SQUARE, 0, "min")
        draws = random.Random(0)
        configs = [SQUARE.sample(draws) for _ in range(20)]
        for number, config in enumerate(configs):
            for each in (search, other):
                each.resume(number, config)
            if number == 4:
                search.tell(ended(number, config, Outcome.FAILED))
                search.resume(number, config)  # its node was to blame
        for number, config in enumerate(configs):
            for each in (search, other):
                each.tell(completed(number, config, config["x"]))
        assert search.ask(20, anything) == other.ask(20, anything)

    def test_the_search_begins_with_the_guesses(self) -> None:
        guessed = space_of({"x": {"uniform": [-1, 1], "prior": 0.25}, "y": {"uniform": [-1, 1]}}, [])
        asking = Asking(guessed, tpe(guessed, 0, "min"))
        assert asking.ask() == {"x": 0.25, "y": 0.0}
        assert asking.ask() != {"x": 0.25, "y": 0.0}
        forbidden = space_of({"x": {"uniform": [-1, 1], "prior": 0.25}}, ["x < 0"])
        assert (Asking(forbidden, tpe(forbidden, 0, "min")).ask() or {})["x"] < 0

    def test_what_a_sampler_raises_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from optuna.samplers import RandomSampler

        def broken(*arguments: Any) -> Any:
            raise ZeroDivisionError("in the sampler")

        monkeypatch.setattr(RandomSampler, "sample_independent", broken)
        with pytest.raises(SearchMethodError, match="RandomSampler has failed at trial 3: ZeroDivisionError: in the"):
            sampler("RandomSampler").ask(3, anything)


class Line:
    """Walks along x, and keeps what it is told."""

    def __init__(self, space: Space, seed: int, mode: str, width: float = 0.1) -> None:
        self.arguments = (space, seed, mode, width)
        self.told: list[tuple[Any, ...]] = []
        self.proposals: list[Any] = []

    def ask(self, number: int) -> Any:
        return self.proposals.pop(0) if self.proposals else {"x": number / 100, "y": 0}

    def tell(self, number: int, config: dict[str, Any], value: float | None, step: int | None, outcome: str) -> None:
        self.told.append((number, config, value, step, outcome))


def own(space: Space = SQUARE, method: type = Line, **options: Any) -> tuple[OwnMethod, Any]:
    search = OwnMethod(space, 7, "max", method, options, name="mine.py:Line")
    return search, search._method


class TestOwnMethod:
    def test_it_is_made_asked_and_told_as_documented(self) -> None:
        search, line = own(width=0.5)
        assert line.arguments == (SQUARE, 7, "max", 0.5)
        assert search.ask(2, anything) == {"x": 0.02, "y": 0.0}
        search.resume(2, {"x": 0.02, "y": 0.0})
        search.tell(ended(2, {"x": 0.02, "y": 0.0}, Outcome.RUNG, 1.5))
        search.tell(ended(2, {"x": 0.02, "y": 0.0}, Outcome.FAILED))
        search.forget(2)
        assert line.told == [(2, {"x": 0.02, "y": 0.0}, 1.5, 3, "rung"), (2, {"x": 0.02, "y": 0.0}, None, 3, "failed")]

    def test_proposals_take_the_form_of_the_space(self) -> None:
        import numpy as np

        search, line = own(WIDE)
        line.proposals = [
            {
                "lr": np.float64(1e-3), "optimizer": "adam", "momentum": 0.9, "layers": np.array([2]), "width": 70.0,
                "batch": 32, "noise": 0, "scale": 1,
            }
        ]  # fmt: skip
        config = search.ask(0, anything)
        assert config == {
            "lr": 1e-3, "optimizer": "adam", "layers": 2, "width": 64, "batch": 32, "noise": 0.0, "scale": 1.0
        }  # fmt: skip
        assert [type(value) for value in config.values()] == [float, str, int, int, int, float, float]

    def test_known_proposals_are_asked_for_again_and_then_drawn(self) -> None:
        search, line = own()
        line.proposals = [{"x": 0, "y": 0}] * 3 + [{"x": 1, "y": 1}]
        assert search.ask(0, lambda config, times=1: config["x"] != 0) == {"x": 1.0, "y": 1.0}
        line.proposals = [{"x": 0, "y": 0}] * 100
        drawn = search.ask(1, lambda config, times=1: config["x"] != 0)
        assert drawn is not None
        assert drawn["x"] != 0

    def test_none_ends_the_search(self) -> None:
        search, line = own()
        line.proposals = [None]
        assert search.ask(0, anything) is None

    @pytest.mark.parametrize(
        ("proposal", "message"),
        [
            ([1, 2], r"mine.py:Line.ask\(4\) returned \[1, 2\], not a dict of parameters"),
            ({"x": 0}, r"mine.py:Line.ask\(4\) proposed no value for y \(a number in \[-1, 1\]\)"),
            ({"x": 3, "y": 0}, r"proposed x=3, which is not in the space \(a number in \[-1, 1\]\)"),
            ({"x": "a", "y": 0}, r"proposed x='a', which is not in the space"),
            ({"x": True, "y": 0}, r"proposed x=True, which is not in the space"),
            ({"xx": 0, "y": 0}, r"proposed 'xx', which is not in the space \(did you mean 'x'\?"),
        ],
    )
    def test_what_is_not_in_the_space_is_an_error(self, proposal: Any, message: str) -> None:
        search, line = own()
        line.proposals = [proposal]
        with pytest.raises(SearchMethodError, match=message):
            search.ask(4, anything)

    def test_an_exception_names_the_class_the_method_and_the_line(self) -> None:
        class Broken(Line):
            def ask(self, number: int) -> Any:
                raise KeyError("lr")

            def tell(self, *arguments: Any) -> None:
                raise ZeroDivisionError("no")

        search, _ = own(method=Broken)
        where = r" \(test_other_methods.py, line \d+\)$"
        with pytest.raises(SearchMethodError, match=r"^mine.py:Line.ask\(3\) raised KeyError: 'lr'" + where):
            search.ask(3, anything)
        with pytest.raises(
            SearchMethodError, match=r"mine.py:Line.tell\(0, .*, 'completed'\) raised ZeroDivisionError: no"
        ):
            search.tell(ended(0, {"x": 1}, Outcome.COMPLETED, 1.0))
        with pytest.raises(SearchMethodError, match=r"mine.py:Line\(space, seed, mode, height\) raised TypeError"):
            own(height=3)

    def test_a_finite_space_is_used_up(self) -> None:
        class Again(Line):
            def ask(self, number: int) -> Any:
                return {"optimizer": "adam", "momentum": 0.5, "layers": 1}

        search: Search = own(NARROW, Again)[0]
        asking = Asking(NARROW, search)
        while asking.ask() is not None:
            pass
        assert len(asking.configs) == len(list(NARROW.cells() or ()))


def test_tpe_learns_from_a_trial_that_pauses_as_from_one_that_is_stopped_and_counts_it_once() -> None:
    from optuna.trial import TrialState

    paused, stopped = tpe(SQUARE, 1, "min"), tpe(SQUARE, 1, "min")
    configs = []
    for number in range(30):
        config = paused.ask(number, anything)
        assert config == stopped.ask(number, anything)
        assert config is not None
        configs.append(config)
        paused.tell(ended(number, config, Outcome.RUNG, abs(config["x"] - 0.3)))
        stopped.tell(ended(number, config, Outcome.STOPPED, abs(config["x"] - 0.3)))
    paused.tell(ended(7, configs[7], Outcome.RUNG, 0.5))
    paused.tell(ended(7, configs[7], Outcome.COMPLETED, 0.4))
    counted = [each for each in paused._study.get_trials(deepcopy=False) if each.state is not TrialState.FAIL]
    assert len(counted) == 30
    assert [each.value for each in counted if each.state is TrialState.COMPLETE] == [0.4]
