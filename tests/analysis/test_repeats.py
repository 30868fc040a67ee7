"""Repeats: means, intervals, the chance of being the best, and what the first figure promised too much."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.compare.repeats import RepeatedConfig, best_in, probabilities, repeats_in, repeats_of
from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.cli.views.repeats import repeats_text
from orchestrator.core.rows import State
from orchestrator.errors import SweepError
from orchestrator.records.provenance import read_sweep_json
from orchestrator.space.values import canonical_json
from tests.cli.recorded import record


def sweep(groups: Sequence[Sequence[float | State]], mode: Literal["min", "max"] = "min") -> SweepResults:
    """A configuration a group; a trial a value, or a state without one."""
    trials: list[TrialResult] = []
    for x, group in enumerate(groups):
        for each in group:
            state, value = (each, None) if isinstance(each, State) else (State.COMPLETED, each)
            trials.append(TrialResult(trial=len(trials), state=state, config={"x": x}, value=value))
    objective = Objective(metric="loss", mode=mode, at="best")
    return SweepResults(objective=objective, method="list", space={}, trials=trials)


def found(groups: Sequence[Sequence[float | State]], **more: object) -> dict[int, RepeatedConfig]:
    return {each.config["x"]: each for each in repeats_of(sweep(groups), **more)}  # type: ignore[arg-type]


class TestOneConfiguration:
    def test_mean_and_interval(self) -> None:
        each = found([[1.0, 2.0, 3.0, 4.0, 5.0]])[0]
        assert (each.mean, each.trials, each.values) == (3, (0, 1, 2, 3, 4), (1, 2, 3, 4, 5))
        assert each.interval == pytest.approx((3 - 1.96324, 3 + 1.96324), abs=1e-4)  # t of 4 degrees is 2.776445
        assert each.best == 1

    def test_the_best_of_many_flatters(self) -> None:
        for mode, expected in (("min", 1.5), ("max", -1.5)):
            each = repeats_of(sweep([[2.0, 3.0]], mode), {canonical_json({"x": 0}): 1.0})[0]  # type: ignore[arg-type]
            assert (each.first, each.flattered) == (1.0, expected)

    def test_what_diverged_or_failed_is_counted_and_has_no_value(self) -> None:
        each = found([[1.0, State.DIVERGED, State.FAILED, State.RUNNING]])[0]
        assert (each.values, each.diverged, each.failed, each.interval) == ((1.0,), 1, 1, None)

    def test_none_came_to_its_end(self) -> None:
        each = found([[State.DIVERGED, State.DIVERGED], [State.FAILED, State.FAILED]])
        assert (each[0].mean, each[1].mean, each[1].best) == (None, None, 0)


class TestAll:
    def test_the_best_mean_first_and_what_was_trained_once_not_at_all(self) -> None:
        groups = [[3.0, 3.1], [1.0, 1.1], [2.0, 2.1], [0.0], [State.DIVERGED, State.FAILED]]
        assert list(found(groups)) == [1, 2, 0, 4]
        assert [each.config["x"] for each in repeats_of(sweep(groups, "max"))] == [0, 2, 1, 4]

    def test_who_may_be_the_best(self) -> None:
        each = found([[1.0, 1.4, 1.2], [1.1, 1.3, 1.5], [9.0, 9.1, 9.2]])
        assert 0.6 < each[0].best < 0.95
        assert each[2].best < 0.01
        assert sum(one.best for one in each.values()) == pytest.approx(1)

    def test_one_that_sometimes_diverges_is_seldom_the_best(self) -> None:
        each = found([[1.0, 1.0, State.DIVERGED], [2.0, 2.0, 2.0]])
        assert each[0].best == pytest.approx(2 / 3, abs=0.02)

    def test_what_it_claims_is_so_as_often(self) -> None:
        rng, claimed, right = random.Random(0), 0.0, 0
        for _ in range(200):
            truth = [rng.gauss(0, 0.7) for _ in range(5)]
            chances = probabilities([[rng.gauss(mean, 1) for _ in range(5)] for mean in truth])
            claimed += max(chances) / 200
            right += chances.index(max(chances)) == truth.index(min(truth))
        assert claimed == pytest.approx(right / 200, abs=0.08)

    def test_a_single_value_spreads_as_the_others_do(self) -> None:
        assert 0.05 < probabilities([[1.0, 1.4, 1.2], [1.3]])[1] < 0.6
        assert probabilities([[1.0], [1.3]]) == [1, 0]

    @given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), min_size=1, max_size=5))
    def test_chances_sum_up_and_equals_share_them(self, losses: list[list[float]]) -> None:
        chances = probabilities(losses)
        assert sum(chances) == pytest.approx(1)
        assert probabilities([losses[0], losses[0][:1] * 3])[0] <= 1
        same = [[1.0, 1.0], [1.0, 1.0]]
        assert probabilities(same) == [0.5, 0.5]

    def test_nobody(self) -> None:
        assert probabilities([]) == []


class TestRecorded:
    def test_first_figures_come_from_the_parent(self, tmp_path: Path) -> None:
        parent = record(tmp_path, name="churn")
        best = best_trials(parent, read_sweep_json(parent.info), 1)[0]
        paths = record(
            tmp_path, name="churn-confirm", parent="churn", scheduler={"method": "none"}, budget={},
            search={"method": "list", "configs": [best.config], "repeats": 3},
        )  # fmt: skip
        info = read_sweep_json(paths.info)
        (each,) = repeats_in(paths, info)
        assert (each.config, each.first, len(each.values)) == (best.config, best.value, 3)
        assert each.flattered == pytest.approx(statistics.fmean(each.values) - best.value)
        assert best_in(paths, info).trial == each.trials[0]

    def test_the_best_is_that_of_the_best_mean(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        configs = [{"lr": rate, "kind": "good", "sizes": [8]} for rate in (0.01, 0.1)]
        search = {"method": "list", "configs": configs, "repeats": 2}
        paths = record(tmp_path, search=search, scheduler={"method": "none"}, budget={})
        info = read_sweep_json(paths.info)
        better, worse = repeats_in(paths, info)
        assert best_in(paths, info).trial == better.trials[0]
        monkeypatch.setattr(
            "orchestrator.analysis.compare.repeats.repeats_of", lambda *_: [worse, better]
        )  # the means decide
        assert best_in(paths, info).trial == worse.trials[0]

    def test_there_may_be_no_result(self, tmp_path: Path) -> None:
        paths = record(tmp_path, budget={"trials": 1})
        with pytest.raises(SweepError, match="no trial of made-up has a result yet"):
            best_in(paths, read_sweep_json(paths.info))


class TestText:
    OBJECTIVE = Objective(metric="loss", mode="min", at="best")

    def test_a_line_a_configuration(self) -> None:
        firsts = {canonical_json({"x": 0}): 0.9}
        text = repeats_text("churn", self.OBJECTIVE, repeats_of(sweep([[1.0, 1.2], [3.0, State.DIVERGED]]), firsts))
        head, blank, names, one, two, _, sentence = text.splitlines()
        assert (head, blank) == ("churn: 2 configurations, trained several times", "")
        assert names.split("  ")[0] == "mean loss"
        assert one.split() == ["1.1", "-0.17062", "to", "2.3706", "98%", "0.9", "+0.2", "2", "×", "x=0"]
        assert "1 ×, 1 diverged" in two
        assert sentence == "On average, the first results made them look 0.2 better than they are."

    def test_no_difference_is_said_to_be_none(self) -> None:
        text = repeats_text("churn", self.OBJECTIVE, repeats_of(sweep([[1.0, 1.0], [2.0, 2.0]])))
        assert text.endswith("The seed does not change what is trained, so these repeats do not measure chance.")
        assert "flattered" not in text

    def test_nothing_was_repeated(self) -> None:
        assert "no configuration of churn was trained more than once" in repeats_text("churn", self.OBJECTIVE, [])
