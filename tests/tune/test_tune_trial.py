"""The methods that a light trial overrides still exist in Ray Tune, are called as before, and are all that is slow."""

from __future__ import annotations

import inspect
import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import CheckpointConfig, PlacementGroupFactory
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.experiment.trial import _get_trainable_kwargs
from ray.tune.search import SearchGenerator

from cluster.ray_private.tune_trial import LightTrial, LightTrialGenerator, SharedTrialSettings, light_trials_fit

OVERRIDDEN = [
    name
    for name, value in vars(LightTrial).items()
    if name != "__init__" and (inspect.isfunction(value) or isinstance(value, property))
]


def a_trial(config: dict[str, Any] | None = None) -> LightTrial:
    spec: dict[str, Any] = {"run": "worker", "storage": None, "checkpoint_config": CheckpointConfig()}
    settings = SharedTrialSettings(worker=object, spec=spec)
    return LightTrial(settings, config or {}, "id", PlacementGroupFactory([{"CPU": 1}]))


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


def test_only_its_own_configuration_travels_to_a_worker() -> None:
    """``_TrialInfo`` is a class of Ray Tune, which a worker would import to read it."""
    trial = a_trial({"order": 1})
    for sent in (_get_trainable_kwargs(trial)["config"], reset_of(trial)):
        assert len(sent) > 1
        assert pickle.loads(pickle.dumps(sent)) == {"order": 1}
    assert trial.config == {"order": 1}


def reset_of(trial: LightTrial) -> dict[str, Any]:
    """What Ray Tune sends to a worker with the next trial."""
    controller = TuneController.__new__(TuneController)
    controller._resetting_trials = set()
    sent: list[dict[str, Any]] = []
    controller._schedule_trial_task = lambda **task: sent.extend(task["args"])
    controller._schedule_trial_reset(trial, trial.config, "")
    return sent[0]
