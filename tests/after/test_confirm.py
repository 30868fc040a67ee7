"""The confirming sweep: full trainings of the best configurations, with new seeds, as often as requested."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from orchestrator.after.confirm import confirming_sweep
from orchestrator.after.written_spec import written_spec
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.cli.remote.remote_sweep import write_spec_file
from orchestrator.core.build import build_sweep
from orchestrator.core.ladder import scheduler_of
from orchestrator.core.schedulers.none import NoScheduler
from orchestrator.errors import SpecError, SweepError, UserError
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import read_spec
from orchestrator.spec.source import Source
from tests.analysis.report.made import learning, made
from tests.cli.recorded import record

TRAIN = "def train(config, trial): pass\n"


def recorded(tmp_path: Path, **sections: Any) -> tuple[SweepPaths, SweepInfo]:
    (tmp_path / "train.py").write_text(TRAIN)
    paths = made(tmp_path / "results", trials=20, **sections)
    return paths, dataclasses.replace(read_sweep_json(paths.info), directory=str(tmp_path))


def confirming(tmp_path: Path, **sections: Any) -> tuple[Source, SweepPaths, SweepInfo]:
    paths, info = recorded(tmp_path, **sections)
    return confirming_sweep(paths, info, best=3, seeds=4), paths, info


def test_the_best_each_several_times_in_full(tmp_path: Path) -> None:
    source, paths, info = confirming(tmp_path)
    spec = source.spec
    assert (spec.name, spec.parent, spec.search.method, spec.search.repeats) == (
        "made-up-confirm",
        "made-up",
        "list",
        4,
    )
    assert spec.search.configs == [each.config for each in best_trials(paths, info, 3)]
    assert isinstance(scheduler_of(spec, None), NoScheduler)
    assert spec.budget.trials is None
    assert build_sweep(spec, None).total == 12


def test_seeds_are_fresh(tmp_path: Path) -> None:
    source, paths, info = confirming(tmp_path)
    outcome = simulate(build_sweep(source.spec, None), learning, slots=2)
    seeds = {row.seed for row in outcome.trials.values()}
    assert len(seeds) == 12
    assert not seeds & set(trials_table(paths, ["seed"])["seed"].to_pylist())
    assert source.spec.search.seed == info.seed + 1


def test_one_seed_for_all_trials_is_not_taken_over(tmp_path: Path) -> None:
    source, paths, _ = confirming(tmp_path, trial={"seed": 7})
    assert set(trials_table(paths, ["seed"])["seed"].to_pylist()) == {7}
    assert source.spec.trial.seed is None


def test_the_text_is_a_spec_that_says_the_same(tmp_path: Path) -> None:
    source, *_ = confirming(tmp_path)
    (tmp_path / "confirm.yaml").write_bytes(source.text)
    assert read_spec(tmp_path / "confirm.yaml") == source.spec
    assert source.text.startswith(b"# the best 3 configurations of made-up, 4 times each with new seeds; written by")


def test_what_holds_for_the_first_holds_for_it(tmp_path: Path) -> None:
    source, *_ = confirming(
        tmp_path,
        scheduler={"method": "asha", "max": 27},
        budget={"trials": 20, "hours": 9, "max_failures": 3},
        trial={"keep": "none", "timeout": "9m"},
        resources={"cpu": 2, "gpu": 0},
    )
    spec = source.spec
    assert spec.scheduler is not None
    assert (spec.scheduler.method, spec.scheduler.max) == ("none", 27)
    assert (spec.budget.hours, spec.budget.max_failures) == (None, 3)
    assert (spec.keep.checkpoints, spec.trial.timeout, spec.resources.cpu) == ("best", 540, 2)


def test_a_configuration_counts_once_and_there_may_be_fewer(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    configs = [{"lr": rate, "kind": "good", "sizes": [8]} for rate in (0.1, 0.2)]
    space = {"lr": {"uniform": [0, 1]}, "kind": {"choice": ["good"]}, "sizes": {"choice": [[8]]}}
    search = {"method": "list", "configs": configs, "repeats": 3}
    paths = record(tmp_path / "results", space=space, search=search, scheduler={"method": "none"}, budget={})
    info = dataclasses.replace(read_sweep_json(paths.info), directory=str(tmp_path))
    assert confirming_sweep(paths, info, best=5, seeds=2).spec.search.configs == configs


def test_nothing_to_confirm(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path, space={"x": {"uniform": [0, 1]}})  # the made-up trainable needs an lr: all fail
    with pytest.raises(SweepError, match="no trial of made-up has a result"):
        confirming_sweep(paths, info, best=5, seeds=2)


def test_overrides(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    source = confirming_sweep(paths, info, best=1, seeds=2, overrides=["search.seed=77", "name=sure"])
    assert (source.spec.search.seed, source.name) == (77, "sure")
    with pytest.raises(SpecError, match="unknown key 'sed'"):
        confirming_sweep(paths, info, best=1, seeds=2, overrides=["search.sed=77"])


def test_a_long_name_stays_within_bounds(tmp_path: Path) -> None:
    source, *_ = confirming(tmp_path, name="n" * 100)
    assert source.name == "n" * 92 + "-confirm"


def test_where_it_was_launched_must_still_be_there(tmp_path: Path) -> None:
    paths, info = recorded(tmp_path)
    with pytest.raises(UserError, match="no longer exists"):
        confirming_sweep(paths, dataclasses.replace(info, directory="/nowhere"), best=1, seeds=1)
    (tmp_path / "train.py").unlink()
    with pytest.raises(SpecError, match=r"train\.py"):
        confirming_sweep(paths, info, best=1, seeds=1)


def test_a_file_to_be_sent_elsewhere(tmp_path: Path) -> None:
    source, *_ = confirming(tmp_path)
    file = write_spec_file(source)
    assert file == tmp_path / "made-up-confirm.yaml"
    assert read_spec(file) == source.spec
    with pytest.raises(UserError, match="is not overwritten; choose another --name"):
        write_spec_file(source)


def test_what_a_trial_of_an_objective_did_not_ask_for_gets_any_value(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def objective(trial): pass\n")
    plain = {
        "trainable": "train.py:objective",
        "space": {"kind": {"choice": ["a", "b"]}, "c": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "list", "configs": [{"kind": "a", "c": 0.25}, {"kind": "b"}]},
    }
    source = written_spec(plain, "by hand", tmp_path, None)
    assert source.spec.search.configs == [{"kind": "a", "c": 0.25}, {"kind": "b", "c": 0.5}]
