"""Building a sweep from a spec: defaults and limits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.build import DEFAULT_TRIALS, build_sweep, limits_of, trial_count
from orchestrator.core.ladder import Ladder, ladder, scheduler_of
from orchestrator.core.plan import make_plan
from orchestrator.core.schedulers.asha import Asha
from orchestrator.core.schedulers.median import Median
from orchestrator.core.schedulers.none import NoScheduler
from orchestrator.core.schedulers.pasha import Pasha
from orchestrator.core.schedulers.top_after import TopAfter
from orchestrator.core.search.auto.roles import role
from orchestrator.errors import UserError
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import Spec, parse_spec
from trainables.declaration import Declaration, Hyperparameter

EPOCHS = Declaration(
    hyperparameters=(Hyperparameter(name="epochs", type=int, default=81, meaning=""),), length="epochs"
)


def spec_of(**sections: Any) -> Spec:
    data = {"trainable": "m:t", "space": {"x": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}} | sections
    return parse_spec(data, base=Path())


class TestScheduler:
    def test_asha_is_the_default_if_the_length_is_known(self) -> None:
        assert ladder(spec_of(), EPOCHS) == Ladder(grace_period=3, reduction_factor=2, max_step=81, apart=True)
        assert ladder(spec_of(), None) is None

    def test_explorers_are_judged_apart_where_both_search_and_scheduler_are_auto(self) -> None:
        expected = Ladder(grace_period=3, reduction_factor=3, max_step=81)
        assert ladder(spec_of(search={"method": "random"}), EPOCHS) == expected
        assert ladder(spec_of(scheduler={"method": "asha"}), EPOCHS) == expected
        scheduler = scheduler_of(spec_of(search={"seed": 3}), EPOCHS)
        assert [scheduler.bracket(trial) for trial in range(200)] == [int(role(3, trial)) for trial in range(200)]
        assert {scheduler.rungs(trial) for trial in range(200)} == {(3, 6, 12, 24, 48), (48,)}

    def test_the_spec_wins_over_defaults(self) -> None:
        asked = {"grace_period": 2, "reduction_factor": 4, "max": 10, "brackets": 2}
        assert ladder(spec_of(scheduler=asked), None) == Ladder(
            grace_period=2, reduction_factor=4, max_step=10, brackets=2
        )
        assert ladder(spec_of(scheduler={"method": "none"}), EPOCHS) is None

    def test_the_sweep_gets_the_scheduler(self) -> None:
        assert isinstance(build_sweep(spec_of(), EPOCHS).scheduler, Asha)
        assert isinstance(build_sweep(spec_of(), None).scheduler, NoScheduler)
        for method, kind in (("hyperband", Asha), ("pasha", Pasha), ("median", Median), ("top_after", TopAfter)):
            assert isinstance(build_sweep(spec_of(scheduler={"method": method}), EPOCHS).scheduler, kind)

    def test_hyperband_has_a_bracket_a_rung_and_one_without(self) -> None:
        found = ladder(spec_of(scheduler={"method": "hyperband"}), EPOCHS)
        assert found is not None
        assert found.brackets == 4
        scheduler = build_sweep(spec_of(scheduler={"method": "hyperband"}), EPOCHS).scheduler
        counts = Counter(scheduler.rungs(trial) for trial in range(4000))
        ordered = sorted(counts, key=len, reverse=True)
        assert ordered == [(3, 9, 27), (9, 27), (27,), ()]
        hyperband = [81 / 4, 27 / 3, 9 / 2, 3 / 1]  # n of algorithm 1, for R = 27 times the first rung, up to a factor
        assert [counts[rungs] / 4000 for rungs in ordered] == pytest.approx(
            [each / sum(hyperband) for each in hyperband], abs=0.03
        )


class TestTrials:
    def test_the_budget_or_the_end_of_the_method_or_a_default(self) -> None:
        grid: dict[str, Any] = {"space": {"x": {"grid": [1, 2, 3]}, "y": {"int": [1, 4]}}, "search": {"method": "grid"}}
        for sections, expected in (
            ({"budget": {"trials": 7}}, 7),
            ({}, DEFAULT_TRIALS),
            (grid, 12),
            (grid | {"budget": {"trials": 5}}, 5),
            (grid | {"budget": {"trials": 30}}, 12),
            (grid | {"budget": {"trials": 30}, "space": {"x": {"int": [0, 10**12]}}}, 30),
            (grid | {"budget": {"trials": 10**9}, "space": {"x": {"int": [0, 10**12]}}}, 10**9),
            ({"search": {"method": "list", "configs": [{"x": 0.1}]}, "budget": {"trials": 30}}, 1),
            ({"search": {"method": "list", "configs": [{"x": 0.1}, {"x": 0.2}], "start": [{"x": 0.3}]}}, 3),
            ({"search": {"method": "list", "configs": [{"x": 0.1}, {"x": 0.2}], "repeats": 5}}, 10),
            (grid | {"search": {"method": "grid", "repeats": 2}}, 24),
            *(({"budget": {key: 1}}, None) for key in ("hours", "gpu_hours", "patience", "target")),
            ({"budget": {"max_failures": 1}}, DEFAULT_TRIALS),
            ({"budget": {"hours": 1, "trials": 7}}, 7),
            (grid | {"budget": {"hours": 1}}, 12),
            (grid | {"budget": {"hours": 1}, "space": {"x": {"int": [0, 10**12]}}}, None),
        ):
            spec = spec_of(**sections)
            assert trial_count(spec, spec.parameter_space()) == expected

    def test_gpu_hours_do_not_limit_trials_without_a_gpu(self) -> None:
        spec = spec_of(budget={"gpu_hours": 1})
        assert limits_of(spec, spec.parameter_space()).trials == DEFAULT_TRIALS
        assert limits_of(spec, spec.parameter_space(), gpus_per_trial=0.5).trials is None

    def test_time_alone_ends_a_sweep_of_any_number_of_trials(self) -> None:
        sweep = build_sweep(spec_of(search={"method": "random"}, budget={"hours": 1}), EPOCHS)
        simulate(sweep, lambda start: [(10.0, 81, {"loss": start.config["x"]})], slots=2)
        assert sweep.halted == "the budget of 1 hours is used up"
        assert len(sweep.trials) == 720

    def test_the_total_is_unknown_until_the_end_or_until_the_space_is_used_up(self) -> None:
        spec = spec_of(space={"x": {"choice": [0.1, 0.2, 0.3]}}, search={"method": "random"}, budget={"hours": 9})
        sweep = build_sweep(spec, EPOCHS)
        assert sweep.total is None
        simulate(sweep, lambda start: [(10.0, 81, {"loss": start.config["x"]})], slots=2)
        assert sweep.total == 3
        assert sweep.halted is None

    def test_a_grid_beyond_all_bounds_is_refused_before_it_is_counted(self) -> None:
        spec = spec_of(space={"x": {"int": [0, 10**12]}}, search={"method": "grid"})
        with pytest.raises(UserError, match=r"more than 100,000 cells.*budget\.trials"):
            trial_count(spec, spec.parameter_space())


class TestPlan:
    def test_too_many_dimensions_for_the_trials(self) -> None:
        space = {f"x{i}": {"uniform": [0, 1]} for i in range(5)}
        few = make_plan(spec_of(space=space, budget={"trials": 24}), None, slots=1)
        enough = make_plan(spec_of(space=space, budget={"trials": 25}), None, slots=1)
        assert "24 trials are few for 5 searched parameters" in few.warnings[0]
        assert not enough.warnings

    def test_a_sweep_that_may_never_end_and_budgets_that_do_nothing(self) -> None:
        def warned(gpus: float = 1.0, **budget: float) -> str:
            return "\n".join(make_plan(spec_of(budget=budget), None, slots=1, gpus_per_trial=gpus).warnings)

        assert "nothing ends the sweep unless it reaches its target" in warned(target=0.1)
        assert not warned(target=0.1, hours=1)
        assert "budget.patience 30 does nothing with 20 trials" in warned(patience=30, trials=20)
        assert "budget.gpu_hours does not end this sweep" in warned(gpus=0, gpu_hours=3)

    def test_ceilings_are_the_budgets(self) -> None:
        plan = make_plan(spec_of(budget={"hours": 2}), None, slots=4, gpus_per_trial=0.5)
        assert (plan.ceiling_s, plan.ceiling_gpu_s) == (7200, 14400)
