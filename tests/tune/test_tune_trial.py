"""The methods that a light trial overrides still exist in Ray Tune, are called as before, and are all that is slow."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import CheckpointConfig, PlacementGroupFactory, Trainable
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search import SearchGenerator

from cluster.ray_private.tune_trial import LightTrial, LightTrialGenerator, SharedTrialSettings, light_trials_fit

OVERRIDDEN = [
    name
    for name, value in vars(LightTrial).items()
    if name != "__init__" and (inspect.isfunction(value) or isinstance(value, property))
]


def a_trial() -> LightTrial:
    spec: dict[str, Any] = {"run": "worker", "storage": None, "checkpoint_config": CheckpointConfig()}
    return LightTrial(SharedTrialSettings(trainable=object, spec=spec), {}, "id", PlacementGroupFactory([{"CPU": 1}]))


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_ray_tune_still_has_it_and_calls_it_alike(name: str) -> None:
    theirs, ours = inspect.getattr_static(TuneTrial, name), inspect.getattr_static(LightTrial, name)
    assert isinstance(theirs, property) == isinstance(ours, property)
    if not isinstance(theirs, property):
        assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


@pytest.mark.parametrize("name", ["add_configurations", "next_trial", "is_finished"])
def test_a_generator_is_asked_as_before(name: str) -> None:
    theirs, ours = getattr(SearchGenerator, name), getattr(LightTrialGenerator, name)
    assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)
    assert "self.searcher.suggest(trial_id)" in inspect.getsource(SearchGenerator.create_trial_if_possible)


def test_this_ray_takes_light_trials() -> None:
    assert light_trials_fit()


def test_a_member_that_ray_tune_calls_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TuneTrial, "set_ray_actor", lambda self, actor, node: None)
    assert not light_trials_fit()


def test_a_worker_is_asked_for_nothing_but_its_trial() -> None:
    trial = a_trial()
    asked: list[str] = []

    class Handle:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return SimpleNamespace(remote=lambda **options: None)

    trial.set_ray_actor(Handle())
    trial.update_last_result({"loss": 1.0})
    assert trial.temporary_state.ray_actor is not None
    assert asked == []


def test_the_trials_of_a_run_can_be_taken_from_its_list() -> None:
    """``get_trials`` returns the list itself, so that ended trials can be removed and Ray Tune does not scan them."""
    controller = TuneController.__new__(TuneController)
    controller._trials = []
    assert controller.get_trials() is controller._trials


def test_a_trainable_still_sets_its_directory_up_there() -> None:
    for method in (Trainable.__init__, Trainable.reset):
        assert "self._setup_logdir()" in inspect.getsource(method)
